"""Forks of what is still played, sweeps, runs that others left, and what is too much: limits and their answers."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.testclient import TestClient

import held
from fundclock import Scenario, sweep
from fundclock.app.service import engine as engine_module
from fundclock.app.service import jobs as jobs_module
from fundclock.app.service import views
from fundclock.app.service.jobs import Jobs
from fundclock.app.service.requests import MAX_LOANS, MAX_PATHS
from fundclock.app.service.serve import guarded
from fundclock.events.stores.sqlite import SqliteStore
from fundclock.scenarios.runs.verify import verify
from funds import interrupted
from hostile import DOCUMENTS
from serving import ADDRESS, BASE, OPEN, SMALL, create, until, wait

AT = "2027-03-31"
CHANGE = {"reinvestment_engine.reinvestment_delay": 3}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "store.db"


@pytest.fixture
def client(path):
    with TestClient(guarded(path, "127.0.0.1", 8000, None, [], workers=1), base_url=ADDRESS) as made:
        yield made


@pytest.fixture
def brake(path, client, monkeypatch):
    """What the client's simulations are held with."""
    monkeypatch.setattr(engine_module, "play_job", held.play_job)
    monkeypatch.setattr(views, "view", held.view)
    made = held.Brake(path)
    yield made
    made.release()


def test_a_fork_of_a_run_that_is_still_played_waits_for_it(client, path, brake):
    brake.hold(0.5)
    running = create(client, scenario="base", seed=1)
    brake.held(running)
    answer = client.post(f"{BASE}/simulations/{running}/forks", json={"at": AT, "set": CHANGE})
    made = answer.json()
    assert (answer.status_code, made["status"], made["parent"]) == (202, "queued", running)
    assert answer.headers["location"] == f"{BASE}/simulations/{made['id']}"
    by_hand = client.post(f"{BASE}/simulations/{running}/reinvestment", json={"amount": 100_000, "year": 2})
    assert by_hand.status_code == 202
    wrong = client.post(f"{BASE}/simulations/{running}/forks", json={"at": AT, "set": {"fund.size": 5}})
    assert (wrong.status_code, "can't change during a run" in wrong.json()["detail"]) == (422, True)
    of_fork = client.post(
        f"{BASE}/simulations/{made['id']}/forks", json={"at": "2028-03-31", "set": {"fund.wind_down_discount": 0.1}}
    )
    assert of_fork.status_code == 202, of_fork.text
    brake.release()
    found = wait(client, made["id"])
    whole = client.get(f"{BASE}/simulations/{running}").json()
    assert (whole["status"], found["status"], found["parent"]) == ("finished", "finished", running)
    direct = Scenario.load("base").with_(seed=1).run().fork(AT, CHANGE)
    assert (found["head_hash"], found["divergence_seq"]) == (direct.head_hash, direct.divergence_seq)
    for other in (by_hand, of_fork):
        assert wait(client, other.json()["id"])["status"] == "finished"
    with SqliteStore(path) as store:
        assert verify(store, store.info(found["id"])).status == "ok"


def test_a_fork_of_a_run_that_was_cancelled_says_so(client, brake):
    brake.hold()
    create(client, scenario="base", seed=1, set=SMALL)
    queued = create(client, scenario="base", seed=2, set=SMALL)
    made = client.post(f"{BASE}/simulations/{queued}/forks", json={"at": AT, "set": CHANGE}).json()["id"]
    assert client.delete(f"{BASE}/simulations/{queued}").json()["status"] == "cancelled"
    for row in client.get(f"{BASE}/simulations").json()["simulations"]:
        if row["status"] in ("queued", "running") and row["id"] != made:
            client.delete(f"{BASE}/simulations/{row['id']}")
    found = wait(client, made)
    assert found["status"] == "interrupted"
    assert f"nothing was recorded of {queued}" in found["problem"]["detail"]
    answer = client.post(f"{BASE}/simulations/{made}/resume")
    assert (answer.status_code, "resume that first" in answer.json()["detail"]) == (409, True)


def test_a_run_that_someone_else_left_is_resumed(client, path):
    with SqliteStore(path) as store:
        left = interrupted(store, Scenario.load("base").with_(seed=5, set=SMALL), 300).name
    assert client.get(f"{BASE}/simulations/{left}").json()["status"] == "interrupted"
    assert client.post(f"{BASE}/simulations/{left}/resume").status_code == 202
    assert wait(client, left)["head_hash"] == Scenario.load("base").with_(seed=5, set=SMALL).run().head_hash


def test_a_job_whose_run_had_only_its_row_is_played(path):
    with SqliteStore(path) as store:
        store.begin("left", "base", 3, [])
    jobs = Jobs(path)
    with jobs._alone() as db:
        asked = json.dumps({"scenario": "base", "seed": 3, "set": SMALL})
        sql = "INSERT INTO service_jobs (id, request, status, begun, after_run) VALUES ('left', ?, 'running', 1, 0)"
        db.execute(sql, (asked,))
    jobs.close()
    with TestClient(guarded(path, "127.0.0.1", 8000, None, [], workers=1), base_url=ADDRESS) as client:
        assert client.post(f"{BASE}/simulations/left/resume").status_code == 202
        assert wait(client, "left")["head_hash"] == Scenario.load("base").with_(seed=3, set=SMALL).run().head_hash


def swept(client, name):
    """How a sweep stands when it is over."""

    def over():
        found = client.get(f"{BASE}/sweeps/{name}").json()
        return None if found["status"] in OPEN else found

    return until(over, f"{name} is over")


def test_a_sweep_is_the_sweep_it_should_be(client):
    axes = {"reinvestment_engine.reinvestment_delay": [0, 3], "seed": "1:3"}
    answer = client.post(f"{BASE}/sweeps", json={"scenario": "base", "set": SMALL, "sweep": axes})
    name = answer.json()["id"]
    assert (answer.status_code, answer.headers["location"]) == (202, f"{BASE}/sweeps/{name}")
    found = swept(client, name)
    assert found["status"] == "finished"
    wanted = sweep(Scenario.load("base").with_(set=SMALL), axes, workers=1)
    assert [row["head_hash"] for row in found["rows"]] == [row["head_hash"] for row in wanted.rows]
    assert found["summary"] == json.loads(json.dumps(wanted.summary))
    assert found["figures"]["sweep_fan"]["data"] == wanted.figure("sweep_fan")
    assert [row["id"] for row in client.get(f"{BASE}/sweeps").json()["sweeps"]] == [name]
    assert client.get(f"{BASE}/simulations").json()["simulations"] == []
    assert client.get(f"{BASE}/simulations/{name}").status_code == 404
    assert client.delete(f"{BASE}/sweeps/{name}").status_code == 409
    assert client.post(f"{BASE}/sweeps/{name}/resume").status_code == 409


def test_a_cancelled_sweep_goes_on_with_what_it_has(client, brake):
    brake.hold(0.25)
    asked = {"scenario": "base", "set": SMALL, "sweep": {"seed": "1:12"}}
    name = client.post(f"{BASE}/sweeps", json=asked).json()["id"]
    brake.held(name)
    assert client.get(f"{BASE}/sweeps/{name}").json()["progress"] == 0.25
    assert client.delete(f"{BASE}/sweeps/{name}").status_code == 202
    assert swept(client, name)["status"] == "cancelled"
    brake.release()
    assert client.post(f"{BASE}/sweeps/{name}/resume").status_code == 202
    found = swept(client, name)
    assert (found["status"], len(found["rows"])) == ("finished", 12)


@pytest.mark.parametrize("what", DOCUMENTS)
def test_a_hostile_document_is_refused_for_what_it_is(client, what):
    text, reason = DOCUMENTS[what]
    answer = client.post(f"{BASE}/simulations", json={"document": text})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert reason in answer.json()["detail"]


def test_a_document_is_played_and_what_is_wrong_has_its_line(client):
    text = "name: mine\nfund: {size: 10m, term_years: 3, reinvestment_period_years: 1}\n"
    found = wait(client, create(client, document=text, seed=4))
    assert (found["status"], found["scenario"]) == ("finished", "mine")
    answer = client.post(f"{BASE}/simulations", json={"document": text + "fees:\n  managment: 2%\n"})
    assert "document:4:3: fees.managment: unknown key; did you mean 'management'?" in answer.json()["detail"]
    both = client.post(f"{BASE}/simulations", json={"document": text, "scenario": "base"})
    assert (both.status_code, "give a scenario, or a document" in both.json()["detail"]) == (422, True)


@pytest.mark.parametrize(
    ("where", "body", "detail"),
    [
        ("simulations", {"scenario": "base", "set": {"fund.size": "1e12"}}, f"up to {MAX_LOANS:,}"),
        ("simulations", {"document": "loans: {tape: /etc/passwd}"}, "files can't be named"),
        ("sweeps", {"scenario": "base", "sweep": {"seed": f"1:{MAX_PATHS + 1}"}}, f"up to {MAX_PATHS:,}"),
        ("sweeps", {"scenario": "base", "sweep": {"loans.tape": ["/etc/passwd"]}}, "files can't be named"),
        ("sweeps", {"scenario": "base", "sweep": {"market": [{"rate_file": "/etc/passwd"}]}}, "files can't be named"),
        ("sweeps", {"scenario": "base", "sweep": {"fund.sice": [1]}}, "did you mean"),
        ("sweeps", {"scenario": "base"}, "give an axis like seed"),
        ("sweeps", {"scenario": "base", "sweep": {"seed": [1, 1]}}, "lists 1 twice"),
        ("sweeps", {"scenario": "base", "sweep": {"fund.size": "20m]\nfoo: [2"}}, "on one line"),
        ("sweeps", {"scenario": "base", "sweep": {"seed": "1:x"}}, "like 1,2,3 or 1:500"),
        ("sweeps", {"scenario": "base", "sweep": {"sweep": [{"seed": [1]}]}}, "is no setting that can be swept"),
        ("sweeps", {"scenario": "base", "sweep": {"seed": "1:1000000"}}, f"up to {MAX_PATHS:,}"),
    ],
)
def test_what_is_too_much_or_not_allowed_is_refused_with_its_limit(client, where, body, detail):
    answer = client.post(f"{BASE}/{where}", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert detail in answer.json()["detail"]
    assert client.get(f"{BASE}/simulations").json()["simulations"] == []
    assert client.get(f"{BASE}/sweeps").json()["sweeps"] == []


def test_a_full_queue_is_said(client, brake, monkeypatch):
    monkeypatch.setattr(jobs_module, "MAX_QUEUED", 2)
    brake.hold()
    brake.held(create(client, scenario="base", seed=1, set=SMALL))
    asked = [{"scenario": "base", "seed": seed, "set": SMALL} for seed in range(2, 6)]
    answers = [client.post(f"{BASE}/simulations", json=body) for body in asked]
    assert [answer.status_code for answer in answers] == [202, 202, 429, 429]
    refused = answers[-1]
    assert refused.headers["retry-after"] == "5"
    assert "2 simulations are queued already" in refused.json()["detail"]


def test_too_many_long_answers_at_once_are_said(client, brake, monkeypatch):
    monkeypatch.setitem(engine_module.MAX_WAITING, "long", 1)
    name = create(client, scenario="levered", seed=7, set=SMALL)
    wait(client, name)
    brake.hold()
    asked = [f"audit?ladder=true&ties={word}" for word in ("true", "false")] + ["audit?shapley=true", "report.html"]
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.get, f"{BASE}/simulations/{name}/{asked[0]}")
        brake.held("audit")
        for rest in asked[1:]:
            busy = client.get(f"{BASE}/simulations/{name}/{rest}")
            assert (busy.status_code, busy.headers["retry-after"]) == (429, "5")
            assert busy.headers["content-type"] == "application/problem+json"
        brake.release()
        assert first.result().status_code == 200
    assert client.get(f"{BASE}/simulations/{name}/{asked[1]}").status_code == 200


def test_fifty_runs_queued_by_twenty_clients_lose_nothing(client, path):
    def ask(seed):
        return create(client, scenario="base", seed=seed, set=SMALL)

    with ThreadPoolExecutor(20) as pool:
        names = list(pool.map(ask, range(50)))
    assert len(set(names)) == 50
    for seed, name in enumerate(names):
        found = wait(client, name)
        assert (found["status"], found["seed"], found["records"] > 0) == ("finished", seed, True)
    with SqliteStore(path) as store:
        for name in names[::10]:
            assert verify(store, store.info(name)).status == "ok"


def test_forks_of_forks_of_forks_have_names_that_can_be_asked_for(client, brake):
    brake.hold()
    create(client, scenario="base", seed=1, set=SMALL)
    name = create(client, scenario={"name": "x" * 60, "fund": {"size": "10m"}}, seed=2)
    names = [name]
    for _ in range(12):
        answer = client.post(f"{BASE}/simulations/{names[-1]}/forks", json={"at": AT, "set": CHANGE})
        assert answer.status_code == 202, answer.text
        names.append(answer.json()["id"])
    assert max(map(len, names)) < 90
    for one in names:
        assert client.get(f"{BASE}/simulations/{one}").status_code == 200
        client.delete(f"{BASE}/simulations/{one}")


def test_pages_hold_each_simulation_once_while_more_are_played(client):
    def ask(seed):
        return create(client, scenario="base", seed=seed, set=SMALL)

    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(ask, seed) for seed in range(30)]
        while not all(future.done() for future in asked):
            page = client.get(f"{BASE}/simulations?limit=3").json()
            seen = [row["id"] for row in page["simulations"]]
            while page["next"]:
                page = client.get(page["next"]).json()
                seen += [row["id"] for row in page["simulations"]]
            assert len(seen) == len(set(seen))
    made = [future.result() for future in asked]
    for name in made:
        wait(client, name)
    listed = [row["id"] for row in client.get(f"{BASE}/simulations").json()["simulations"]]
    assert sorted(listed) == sorted(made)
    newest = create(client, scenario="base", seed=99, set=SMALL)
    assert client.get(f"{BASE}/simulations?limit=1").json()["simulations"][0]["id"] == newest
