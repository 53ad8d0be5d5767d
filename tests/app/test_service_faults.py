"""The service when something goes wrong around it: workers that are killed, a file that is taken, a second service."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from fundclock import Scenario
from fundclock.app.service.serve import alone
from fundclock.events.stores.sqlite import BATCH, SqliteStore
from fundclock.events.stores.store import StoreError
from fundclock.scenarios.runs.verify import verify
from held import Held, lives
from serving import PATIENCE, PROGRAM, SMALL, until

AT = "2027-03-31"
CHANGE = {"reinvestment_engine.reinvestment_delay": 3}

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes by /proc")


def family_of(served):
    """The processes of a service: itself, its fork server and trackers, and their children, with their niceness."""
    parents = {served._process.pid: 0}
    for _ in range(2):
        for path in Path("/proc").iterdir():
            try:
                fields = (path / "stat").read_text().rsplit(")", 1)[1].split()
            except (OSError, IndexError):
                continue
            if int(fields[1]) in parents:
                parents[int(path.name)] = int(fields[16])
    return parents


def goes_on(answer):
    """Whether an answer says that a job is played: soon, now, or to its end already."""
    return answer["status"] in ("queued", "running", "finished")


def played(seed, changes):
    return Scenario.load("base").with_(seed=seed, set=changes).run()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A service with two workers, for tests that leave it as it was."""
    with Held(tmp_path_factory.mktemp("faults"), "--workers", "2") as made:
        yield made


@pytest.fixture
def brake(served):
    yield served.brake
    served.brake.release()


def test_jobs_outlive_a_worker_that_is_killed(served, brake):
    brake.hold(0.5)
    names = [served.start("base", seed) for seed in range(4)]
    for name in names[:2]:
        brake.held(name)
    brake.kill(names[0])
    for name in names[:2]:
        brake.held(name)  # begun once more
    brake.release()
    found = [served.over(name) for name in names]
    assert {one["status"] for one in found} == {"finished"}
    assert [one["head_hash"] for one in found] == [played(seed, {}).head_hash for seed in range(4)]
    with SqliteStore(served.store) as store:
        for name in names[:2]:
            assert verify(store, store.info(name)).status == "ok"


def test_a_job_whose_worker_is_killed_again_is_interrupted_and_can_be_resumed(served, brake):
    brake.hold(0.5)
    name = served.start("base", 11)
    for _ in range(2):
        brake.kill(name)
    found = served.over(name)
    assert (found["status"], found["problem"]["detail"]) == (
        "interrupted",
        "its worker process was ended from outside",
    )
    assert found["records"] >= BATCH
    brake.release()
    made = served.ask("POST", f"/simulations/{name}/forks", {"at": "2026-01-01", "set": CHANGE})
    assert made["parent"] == name  # it has a beginning, and nobody plays it
    assert goes_on(served.ask("POST", f"/simulations/{name}/resume"))
    assert served.over(name)["head_hash"] == played(11, {}).head_hash


def test_a_file_that_is_taken_for_long_leaves_nothing_open_for_ever(tmp_path):
    with Held(tmp_path, "--workers", "1", wait=0.1) as served:
        served.brake.hold(0.5)
        name = served.start("base", 1)
        served.brake.held(name)
        with closing(sqlite3.connect(served.store, isolation_level=None, timeout=PATIENCE)) as other:
            other.execute("BEGIN IMMEDIATE")
            served.brake.release()
            until(lambda: "job.waits_for_the_store" in served.log.read_text(), "the service waits for the file")
            assert served.get(f"/simulations/{name}")["status"] == "running"  # nobody could write that it is not
            other.execute("ROLLBACK")
        found = served.over(name)
        assert (found["status"], "locked" in found["problem"]["detail"]) == ("interrupted", True)
        assert goes_on(served.ask("POST", f"/simulations/{name}/resume"))
        assert served.over(name)["head_hash"] == played(1, {}).head_hash


def test_a_service_that_is_killed_leaves_jobs_that_can_be_resumed_and_forked(tmp_path):
    with Held(tmp_path, "--workers", "1") as served:
        served.brake.hold(0.5)
        name, queued = served.start("base", 1), served.start("base", 2, SMALL)
        waiting = served.ask("POST", f"/simulations/{queued}/forks", {"at": AT, "set": CHANGE})["id"]
        served.brake.held(name)
        served._process.kill()
    with Held(tmp_path, "--workers", "1") as served:
        stands = {one["id"]: one["status"] for one in served.get("/simulations")["simulations"]}
        assert stands == {name: "interrupted", queued: "interrupted", waiting: "interrupted"}
        assert served.get(f"/simulations/{name}")["records"] >= BATCH
        served.brake.release()
        assert served.ask("POST", f"/simulations/{name}/forks", {"at": "2026-01-01", "set": CHANGE})["parent"] == name
        refused = served.ask("POST", f"/simulations/{waiting}/resume")
        assert "resume that first" in refused["detail"]
        for one in (queued, waiting, name):
            assert goes_on(served.ask("POST", f"/simulations/{one}/resume"))
        found = {one: served.over(one) for one in (queued, waiting, name)}
        assert {one["status"] for one in found.values()} == {"finished"}
        assert found[name]["head_hash"] == played(1, {}).head_hash
        small = played(2, SMALL)
        assert found[queued]["head_hash"] == small.head_hash
        assert found[waiting]["head_hash"] == small.fork(AT, CHANGE).head_hash


def test_cancelled_and_resumed_while_a_fork_waits(served, brake):
    brake.hold()
    busy = [served.start("base", seed, SMALL) for seed in (21, 22)]
    for name in busy:
        brake.held(name)
    parent = served.start("base", 23, SMALL)
    waiting = served.ask("POST", f"/simulations/{parent}/forks", {"at": AT, "set": CHANGE})["id"]
    assert served.ask("DELETE", f"/simulations/{parent}")["status"] == "cancelled"
    assert goes_on(served.ask("POST", f"/simulations/{parent}/resume"))
    brake.release()
    assert [served.over(name)["status"] for name in (*busy, parent)] == ["finished"] * 3
    if served.over(waiting)["status"] == "interrupted":  # it was let go while its parent was cancelled
        served.ask("POST", f"/simulations/{waiting}/resume")
    assert served.over(waiting)["status"] == "finished"


def test_a_store_has_one_service(served, brake):
    brake.hold()
    name = served.start("base", 31, SMALL)
    brake.held(name)
    program = [sys.executable, "-c", PROGRAM, "serve", "--store", str(served.store)]
    second = subprocess.run([*program, "--port", "1"], capture_output=True, text=True, timeout=PATIENCE)
    assert (second.returncode, "another service has this store" in second.stderr) == (5, True)
    assert served.get(f"/simulations/{name}")["status"] == "running"  # it is not the second's to interrupt
    brake.release()
    assert served.over(name)["status"] == "finished"


def test_a_store_is_free_again_when_its_service_has_ended(tmp_path):
    path = tmp_path / "store.db"
    for _ in range(2):
        with alone(path), pytest.raises(StoreError, match="another service"), alone(path):
            pass


def test_it_ends_at_once_and_leaves_no_process(tmp_path):
    with Held(tmp_path, "--workers", "2") as served:
        name = served.play("levered", 7)
        served.brake.hold()
        served.brake.held(served.start("base", 1, SMALL))
        before = family_of(served)
        asked = f"{served.url}/api/v1/simulations/{name}/audit?shapley=true"
        asking = subprocess.Popen(["curl", "-s", "-o", os.devnull, asked])
        until(lambda: any(pid not in before and nice for pid, nice in family_of(served).items()), "one computes")
        family = family_of(served)
    asking.wait(PATIENCE)
    assert served._process.returncode == 0
    assert not [pid for pid, nice in family.items() if nice and lives(pid)]
    until(lambda: not any(map(lives, family)), "those that have lost their service end too")
    assert "leaked" not in served.log.read_text()
