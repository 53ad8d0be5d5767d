"""Counter-based random streams.

A draw depends on (seed, replication, stream, series, entity) and on nothing else: not on
the order in which draws are asked for, and not on what a policy does. So a loan that
exists in two runs has the same draws in both. Uniforms become other distributions by their inverse CDF.
"""

import hashlib
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

BLOCK = 128
"""Entities that are drawn together."""


class Stream(IntEnum):
    """What a stream of draws is for; the value is part of the counter and never changes."""

    base_rate = 1
    zone_prices = 2
    loan_attributes = 3
    loan_fates = 4
    property_noise = 5


class Streams:
    """All random streams of one run."""

    def __init__(self, seed: int, replication: int = 0) -> None:
        digest = hashlib.sha256(f"fundclock/{seed}/{replication}".encode()).digest()
        self._bits = np.random.Philox(key=np.frombuffer(digest[:16], dtype="<u8"))
        self._generator = np.random.Generator(self._bits)
        self._state = self._bits.state
        self._words: dict[str, int] = {}

    def uniforms(self, stream: Stream, series: str, entity: int, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Uniform draws in the open interval (0, 1), of this shape."""
        word = self._words.get(series)
        if word is None:
            word = int.from_bytes(hashlib.sha256(series.encode()).digest()[:8], "little")
            self._words[series] = word
        inner = self._state["state"]
        inner["counter"][:] = (0, entity, word, int(stream))
        self._state["buffer_pos"] = 4
        self._state["has_uint32"] = 0
        self._bits.state = self._state
        draws: NDArray[np.float64] = self._generator.random(shape)
        draws += 2.0**-54
        return draws

    def normals(self, stream: Stream, series: str, entity: int, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Standard normal draws of this shape."""
        draws: NDArray[np.float64] = ndtri(self.uniforms(stream, series, entity, shape))
        return draws

    def attributes(self, series: str, block: int) -> NDArray[np.float64]:
        """Uniforms for the attributes of a block of loans; shape (BLOCK, 3)."""
        return self.uniforms(Stream.loan_attributes, series, block, (BLOCK, 3))

    def fates(self, series: str, block: int) -> NDArray[np.float64]:
        """Uniforms that decide how and when a block of loans ends; shape (BLOCK, 3)."""
        return self.uniforms(Stream.loan_fates, series, block, (BLOCK, 3))

    def noise(self, series: str, block: int, year: int) -> NDArray[np.float64]:
        """Uniforms for a block's property noise in the twelve months of a fund year; shape (12, BLOCK)."""
        return self.uniforms(Stream.property_noise, series, (year << 32) | block, (12, BLOCK))
