"""Workers of a service that are held in the middle of what they do, for as long as a test wants it.

So no test needs a run that is long enough, or a machine that is quick enough, to meet one that is still being played.
A folder beside the store says what holds: while it has a file ``hold``, whoever plays waits at the next month's end (of
a sweep: after the next cell), and whoever computes a view waits before it begins. Who waits writes its process id into
a file with the job's or the view's name. Cancelling goes on working.
"""

import os
import signal
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from fundclock.app.service import engine, jobs, player, views
from fundclock.events.stores.sqlite import SqliteStore
from serving import Served, until

POLL = 0.01
_told, _view = player._told, views.view


def play_job(path: str, name: str) -> None:
    """What a worker does, with the brake; in the place of ``fundclock.app.service.player.play_job``."""
    folder = _folder(path)
    player._told = partial(_braked, folder)
    if (folder / "wait").exists():
        _be_impatient(float((folder / "wait").read_text()))
    player.play_job(path, name)


def _folder(store: str | Path) -> Path:
    return Path(f"{store}.held")


def _braked(folder: Path, table: jobs.Jobs, name: str) -> player.Told:
    told = _told(table, name)

    def braked(done: int, all_: int) -> None:
        told(done, all_)
        while (part := _read(folder / "hold")) and done / all_ >= float(part):
            _wait(folder / name)
            told(done, all_)  # raises where the job is cancelled

    return braked


def view(path: str, run: str, name: str, words: Mapping[str, Any]) -> str:
    """``fundclock.app.service.views.view``, with the brake."""
    folder = _folder(path)
    while _read(folder / "hold"):
        _wait(folder / name)
    return _view(path, run, name, words)


def _wait(mine: Path) -> None:
    mine.write_text(str(os.getpid()))
    time.sleep(POLL)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _be_impatient(seconds: float) -> None:
    """Wait for a file that is taken for so long only."""
    player.SqliteStore = partial(SqliteStore, wait_seconds=seconds)  # type: ignore[assignment, misc]
    jobs.WAIT_SECONDS = seconds


def main(wait: float | None = None) -> None:
    """The command line, with workers that can be held; it ends and gives up sooner than for users."""
    from fundclock.app.cli.main import main as command
    from fundclock.app.service import serve

    engine.play_job = play_job
    serve.GRACE_SECONDS = 0
    if wait is not None:
        _be_impatient(wait)
        engine.RETRY_SECONDS = wait
    command()


class Brake:
    """Holds the workers of a store's service, and lets them go."""

    def __init__(self, store: Path, wait: float | None = None) -> None:
        """Workers wait for a file that is taken for ``wait`` seconds, where that is given."""
        self._folder = _folder(store)
        self._folder.mkdir(exist_ok=True)
        if wait is not None:
            (self._folder / "wait").write_text(str(wait))

    def hold(self, part: float = 0) -> None:
        """Whoever plays waits as soon as this part is played."""
        new = self._folder / "hold.new"
        new.write_text(str(part))
        new.replace(self._folder / "hold")

    def release(self) -> None:
        """Let all go on."""
        (self._folder / "hold").unlink(missing_ok=True)

    def held(self, job: str) -> int:
        """The process that plays a job, or computes a view, when it is held."""
        return int(until(lambda: _read(self._folder / job), f"{job} is held"))

    def kill(self, job: str) -> None:
        """Kill the process that plays a job, in the middle of it."""
        pid = self.held(job)
        os.kill(pid, signal.SIGKILL)
        until(lambda: not lives(pid), f"{pid} is killed")
        (self._folder / job).unlink(missing_ok=True)  # whoever plays it next writes its own


def lives(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Held(Served):
    """``fundclock serve`` in a process of its own, with a brake."""

    def __init__(self, folder: Path, *words: str, wait: float | None = None, **environment: str) -> None:
        super().__init__(folder, *words, program=f"import held; held.main({wait})", **environment)
        self.brake = Brake(self.store, wait)
