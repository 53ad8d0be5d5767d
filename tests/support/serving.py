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


def wait(client, name, seconds=60):
    """How a simulation stands when it is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = client.get(f"{BASE}/simulations/{name}").json()
        if found["status"] not in OPEN:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{name} is still {found['status']}")


class Served:
    """``fundclock serve`` on a port of its own, for as long as the block lasts."""

    def __init__(self, folder: Path, *words: str, **environment: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.store = folder / "served.db"
        self._token = environment.get("FUNDCLOCK_TOKEN")
        command = [
            sys.executable,
            "-c",
            "from fundclock.app.cli.main import main; main()",
            "serve",
            "--port",
            str(self.port),
        ]
        self._log = (folder / "serve.log").open("w")
        self._process = subprocess.Popen(
            [*command, "--store", str(self.store), *words],
            env={**os.environ, **environment},
            stdout=self._log,
            stderr=self._log,
        )

    def __enter__(self) -> "Served":
        for _ in range(300):
            try:
                self.get("/version")
                return self
            except OSError:
                if self._process.poll() is not None:
                    break
                time.sleep(0.1)
        self.__exit__()
        raise RuntimeError(f"the service did not start: {Path(self._log.name).read_text()}")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)
        self._log.close()

    def ask(self, method: str, path: str, body: object = None) -> dict:
        """The JSON that the service answers; an error's too."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(self.url + BASE + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
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
        while self.get(f"/simulations/{name}")["status"] in OPEN:
            time.sleep(0.05)
        return name

    def fork(self, name: str, **asked: object) -> str:
        """Fork a simulation: the fork's name."""
        return self.ask("POST", f"/simulations/{name}/forks", asked)["id"]
