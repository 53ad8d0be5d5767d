import subprocess
import sys

import numpy as np
import pytest

from fundclock.handlers import ports
from fundclock.sim import streams
from fundclock.sim.streams import Stream, Streams
from serving import PATIENCE


def test_a_draw_depends_on_its_key_and_on_nothing_asked_before():
    first, second = Streams(7), Streams(7)
    second.noise("red", 3, 2)
    second.uniforms(Stream.base_rate, "", 0, (5,))
    assert np.array_equal(first.attributes("green", 1), second.attributes("green", 1))


@pytest.mark.parametrize(
    "other",
    [
        lambda: Streams(8).attributes("green", 1),
        lambda: Streams(7, replication=1).attributes("green", 1),
        lambda: Streams(7).attributes("red", 1),
        lambda: Streams(7).attributes("green", 2),
        lambda: Streams(7).fates("green", 1),
    ],
)
def test_another_key_gives_other_draws(other):
    assert not np.array_equal(Streams(7).attributes("green", 1), other())


def test_a_longer_stream_begins_like_a_shorter_one():
    short = Streams(7).normals(Stream.base_rate, "", 0, (10,))
    long = Streams(7).normals(Stream.base_rate, "", 0, (40,))
    assert np.array_equal(short, long[:10])


def test_uniforms_lie_inside_the_open_interval_and_are_uniform():
    drawn = np.concatenate([Streams(1).attributes("green", block).ravel() for block in range(200)])
    assert 0 < drawn.min() < drawn.max() < 1
    # Kolmogorov-Smirnov distance of 153,600 uniforms: 1.95/sqrt(n) is the 0.1 % bound
    distance = np.abs(np.sort(drawn) - (np.arange(len(drawn)) + 0.5) / len(drawn)).max()
    assert distance < 1.95 / np.sqrt(len(drawn))


def test_streams_of_neighbours_are_uncorrelated():
    a = np.concatenate([Streams(1).noise("green", block, 0).ravel() for block in range(40)])
    b = np.concatenate([Streams(1).noise("green", block, 1).ravel() for block in range(40)])
    assert abs(np.corrcoef(a, b)[0, 1]) < 4 / np.sqrt(len(a))
    assert abs(a.mean() - 0.5) < 4 / np.sqrt(len(a))
    assert abs(a.std() - 12**-0.5) < 4 * 12**-0.5 / np.sqrt(len(a))


def test_draws_are_the_same_in_another_process():
    code = "from fundclock.sim.streams import Streams; print(Streams(7).attributes('green', 0).sum().hex())"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=PATIENCE)
    assert other.stdout.strip() == Streams(7).attributes("green", 0).sum().hex()


def test_blocks_are_as_long_where_they_are_drawn_as_where_they_are_used():
    assert streams.BLOCK == ports.BLOCK
