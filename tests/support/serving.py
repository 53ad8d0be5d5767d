"""A service in a process of its own, and a browser that is on the machine; for tests, benchmarks and pictures."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

BASE = "/api/v1"
OPEN = ("queued", "running", "cancelling")
PROGRAM = "from fundclock.app.cli.main import main; main()"
PATIENCE = 300
"""Seconds after which something hangs; however slow the machine is, it takes less."""

BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
ADDRESS = "http://127.0.0.1:8000"
"""Where services that live in the test's own process say they are."""

SMALL = {"fund.size": "10m", "fund.term_years": 3, "fund.reinvestment_period_years": 2}
LONG = {"fund.size": "2bn", "loans.size": {"mean": 100e3, "sd": 20e3, "min": 50e3, "max": 200e3}}
MANY = {"fund.size": "4bn", "loans.size": {"mean": 100e3, "sd": 20e3, "min": 50e3, "max": 200e3}}
"""Settings of ``base`` for a log of more than 100,000 records."""


def find_browser() -> str | None:
    """A Chromium that is on the machine, or the one that FUNDCLOCK_BROWSER names."""
    named = os.environ.get("FUNDCLOCK_BROWSER")
    return named or next((found for name in BROWSERS if (found := shutil.which(name))), None)


def create(client, **body):
    """Queue a simulation with a test client: its name."""
    answer = client.post(f"{BASE}/simulations", json=body)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"{BASE}/simulations/{answer.json()['id']}"
    return answer.json()["id"]


def until(condition, what="", seconds=PATIENCE):
    """Wait until something holds: what ``condition()`` gives then. The bound only ends what hangs."""
    deadline, pause = time.monotonic() + seconds, 0.01
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} seconds: {what}"
        time.sleep(pause)
        pause = min(1.3 * pause, 0.2)  # who asks all the time takes it from those who work
    return found


def wait(client, name):
    """How a simulation stands when it is over."""

    def over():
        found = client.get(f"{BASE}/simulations/{name}").json()
        return None if found["status"] in OPEN else found

    return until(over, f"{name} is over")


class Served:
    """``fundclock serve`` on a port of its own, for as long as the block lasts."""

    def __init__(self, folder: Path, *words: str, program: str = PROGRAM, **environment: str) -> None:
        self._free = socket.socket()
        self._free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._free.bind(("127.0.0.1", 0))
        self.port = self._free.getsockname()[1]
        if sys.platform != "linux":  # there, what is bound and does not listen keeps others only from being given it
            self._free.close()
        self.url = f"http://127.0.0.1:{self.port}"
        self.store = folder / "served.db"
        self._token = environment.get("FUNDCLOCK_TOKEN")
        support = [str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        self.log = folder / "serve.log"
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", program, "serve", "--port", str(self.port), "--store", str(self.store), *words],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(support), **environment},
                stdout=log,
                stderr=log,
            )

    def __enter__(self) -> "Served":
        try:
            until(self._answers, "the service answers")
        except BaseException:
            self.__exit__()
            raise
        return self

    def _answers(self) -> bool:
        try:
            self.get("/version")
        except OSError:
            assert self._process.poll() is None, f"the service did not start: {self.log.read_text()}"
            return False
        return True

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        finally:
            self._process.kill()
            self._process.wait()
            self._free.close()

    def ask(self, method: str, path: str, body: object = None) -> dict:
        """The JSON that the service answers; an error's too."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(self.url + BASE + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return json.loads(error.read())

    def get(self, path: str) -> dict:
        """What is at a path."""
        return self.ask("GET", path)

    def start(self, scenario: str, seed: int, changes: dict | None = None) -> str:
        """Queue a simulation: its name."""
        return self.ask("POST", "/simulations", {"scenario": scenario, "seed": seed, "set": changes or {}})["id"]

    def play(self, scenario: str, seed: int, changes: dict | None = None) -> str:
        """Play a simulation to its end: its name."""
        name = self.start(scenario, seed, changes)
        self.over(name)
        return name

    def over(self, name: str) -> dict:
        """How a simulation stands when it is over."""

        def found() -> dict | None:
            one = self.get(f"/simulations/{name}")
            return None if one["status"] in OPEN else one

        return until(found, f"{name} is over")

    def fork(self, name: str, **asked: object) -> str:
        """Fork a simulation and play the fork to its end: the fork's name."""
        made = self.ask("POST", f"/simulations/{name}/forks", asked)["id"]
        self.over(made)
        return made
