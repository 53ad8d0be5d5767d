"""The service when something goes wrong around it: workers that are killed, a file that is taken, a second service."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fundclock import Scenario
from fundclock.app.service.serve import alone
from fundclock.events.stores.sqlite import SqliteStore
from fundclock.events.stores.store import StoreError
from fundclock.scenarios.runs.verify import verify
from serving import LONG, MANY, OPEN, SMALL, Served

AT = "2027-03-31"
CHANGE = {"reinvestment_engine.reinvestment_delay": 3}

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds workers by /proc")


def workers_of(served):
    """The processes of a service that play: those that are niced, by how much they have worked."""
    found = []
    parents = {served._process.pid}
    for _ in range(2):  # the service, its fork server, and their children
        for path in Path("/proc").iterdir():
            try:
                fields = (path / "stat").read_text().rsplit(")", 1)[1].split()
            except (OSError, IndexError):
                continue
            if int(fields[1]) in parents:
                parents.add(int(path.name))
                if int(fields[16]) > 0:
                    found.append((int(fields[11]) + int(fields[12]), int(path.name)))
    return [pid for _, pid in sorted(set(found), reverse=True)]


def wait(served, names, seconds=120):
    deadline = time.monotonic() + seconds
    found = {}
    for name in names:
        while (found := {**found, name: served.get(f"/simulations/{name}")})[name]["status"] in OPEN:
            assert time.monotonic() < deadline, found[name]
            time.sleep(0.05)
    return found


def begun(served, name):
    while served.get(f"/simulations/{name}")["records"] < 1000:
        time.sleep(0.02)


def test_jobs_outlive_a_worker_that_is_killed(tmp_path):
    with Served(tmp_path, "--workers", "2") as served:
        names = [served.start("base", seed, LONG) for seed in range(4)]
        begun(served, names[0])
        os.kill(workers_of(served)[0], signal.SIGKILL)
        found = wait(served, names)
        assert {one["status"] for one in found.values()} == {"finished"}
        store = SqliteStore(served.store)
        for seed, name in enumerate(names[:2]):
            assert found[name]["head_hash"] == Scenario.load("base").with_(seed=seed, set=LONG).run().head_hash
            assert verify(store, store.info(name)).status == "ok"


def test_a_job_whose_worker_is_killed_again_is_interrupted_and_can_be_resumed(tmp_path):
    with Served(tmp_path, "--workers", "1") as served:
        name = served.start("base", 1, MANY)
        for _ in range(2):
            known = served.get(f"/simulations/{name}")["records"]
            while (workers := workers_of(served)) == [] or served.get(f"/simulations/{name}")["records"] <= known:
                time.sleep(0.05)
            os.kill(workers[0], signal.SIGKILL)
            while workers_of(served) == workers:
                time.sleep(0.02)
        found = wait(served, [name])[name]
        assert (found["status"], found["problem"]["detail"]) == (
            "interrupted",
            "its worker process was ended from outside",
        )
        made = served.ask("POST", f"/simulations/{name}/forks", {"at": "2026-01-01", "set": CHANGE})
        assert made["parent"] == name  # it has a beginning, and nobody plays it
        assert served.ask("POST", f"/simulations/{name}/resume")["status"] == "queued"
        assert wait(served, [name])[name]["status"] == "finished"


def test_a_file_that_is_taken_for_long_leaves_nothing_open_for_ever(tmp_path):
    with Served(tmp_path, "--workers", "1") as served:
        name = served.start("base", 1, MANY)
        begun(served, name)
        other = sqlite3.connect(served.store, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        time.sleep(14)  # the writer gives up after ten
        other.execute("ROLLBACK")
        other.close()
        found = wait(served, [name])[name]
        if found["status"] != "finished":
            assert (found["status"], "locked" in found["problem"]["detail"]) == ("interrupted", True)
            assert served.ask("POST", f"/simulations/{name}/resume")["status"] == "queued"
        assert wait(served, [name])[name]["status"] == "finished"


def test_a_service_that_is_killed_leaves_jobs_that_can_be_resumed_and_forked(tmp_path):
    with Served(tmp_path, "--workers", "1") as served:
        name, queued = served.start("base", 1, MANY), served.start("base", 2, SMALL)
        waiting = served.ask("POST", f"/simulations/{queued}/forks", {"at": AT, "set": CHANGE})["id"]
        begun(served, name)
        served._process.kill()
    with Served(tmp_path, "--workers", "1") as served:
        stands = {one["id"]: one["status"] for one in served.get("/simulations")["simulations"]}
        assert stands == {name: "interrupted", queued: "interrupted", waiting: "interrupted"}
        assert served.ask("POST", f"/simulations/{name}/forks", {"at": "2026-01-01", "set": CHANGE})["parent"] == name
        refused = served.ask("POST", f"/simulations/{waiting}/resume")
        assert "resume that first" in refused["detail"]
        for one in (queued, waiting, name):
            assert served.ask("POST", f"/simulations/{one}/resume")["status"] == "queued"
        found = wait(served, [queued, waiting, name])
        assert {one["status"] for one in found.values()} == {"finished"}
        small = Scenario.load("base").with_(seed=2, set=SMALL).run()
        assert found[queued]["head_hash"] == small.head_hash
        assert found[waiting]["head_hash"] == small.fork(AT, CHANGE).head_hash


def test_cancelled_and_resumed_while_a_fork_waits(tmp_path):
    with Served(tmp_path, "--workers", "1") as served:
        busy = served.start("base", 1, LONG)
        parent = served.start("base", 2, SMALL)
        waiting = served.ask("POST", f"/simulations/{parent}/forks", {"at": AT, "set": CHANGE})["id"]
        served.ask("DELETE", f"/simulations/{parent}")
        served.ask("POST", f"/simulations/{parent}/resume")
        found = wait(served, [busy, parent, waiting])
        if found[waiting]["status"] == "interrupted":  # it was let go while its parent was cancelled
            served.ask("POST", f"/simulations/{waiting}/resume")
            found = wait(served, [parent, waiting])
        assert [found[name]["status"] for name in (parent, waiting)] == ["finished", "finished"]


def test_a_store_has_one_service(tmp_path):
    with Served(tmp_path, "--workers", "1") as served:
        name = served.start("base", 1, LONG)
        program = [
            sys.executable,
            "-c",
            "from fundclock.app.cli.main import main; main()",
            "serve",
            "--store",
            str(served.store),
        ]
        second = subprocess.run([*program, "--port", "1"], capture_output=True, text=True, timeout=60)
        assert (second.returncode, "another service has this store" in second.stderr) == (5, True)
        assert served.get(f"/simulations/{name}")["status"] in ("queued", "running", "finished")
        assert wait(served, [name])[name]["status"] == "finished"
    with alone(served.store), pytest.raises(StoreError, match="another service"), alone(served.store):
        pass


def test_it_ends_at_once_and_leaves_no_process(tmp_path):
    with Served(tmp_path, "--workers", "2") as served:
        name = served.play("levered", 7)
        served.start("base", 1, MANY)
        asking = subprocess.Popen(["curl", "-s", f"{served.url}/api/v1/simulations/{name}/audit?shapley=true"])
        while not (workers := workers_of(served)):
            time.sleep(0.05)
    asking.wait(10)
    assert served._process.returncode == 0
    assert not [pid for pid in workers if Path(f"/proc/{pid}").is_dir()]
    assert "leaked" not in (tmp_path / "serve.log").read_text()
