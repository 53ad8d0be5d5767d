"""The service over HTTP: simulations in worker processes, views, forks, and what it refuses."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.testclient import TestClient

import held
from fundclock import InvalidInput, Scenario
from fundclock.app.service import engine as engine_module
from fundclock.app.service.guard import MAX_BODY
from fundclock.app.service.jobs import Jobs
from fundclock.app.service.requests import MAX_DEPTH
from fundclock.app.service.routes import simulations
from fundclock.app.service.serve import guarded, is_loopback
from fundclock.events.stores.sqlite import SqliteStore
from fundclock.scenarios.charts.figures import NAMES
from fundclock.scenarios.runs.verify import verify
from serving import ADDRESS, BASE, PATIENCE, SMALL, create, wait


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("service") / "store.db"


@pytest.fixture(scope="module")
def client(path):
    with TestClient(guarded(path, "127.0.0.1", 8000, None, [], workers=2), base_url=ADDRESS) as made:
        yield made


@pytest.fixture(scope="module")
def levered(client):
    changes = {"capital_allocation.strategy": "risk_parity", "fund.term_years": 6, "fund.reinvestment_period_years": 4}
    name = create(client, scenario="levered", seed=7, set=changes)
    assert wait(client, name)["status"] == "finished"
    return name


def test_a_simulation_is_played_and_is_the_run_it_should_be(client, path):
    answer = client.post(f"{BASE}/simulations", json={"scenario": "base", "seed": 5, "set": SMALL})
    assert answer.status_code == 202
    found = wait(client, answer.json()["id"])
    run = Scenario.load("base").with_(seed=5, set=SMALL).run()
    assert (found["status"], found["head_hash"], found["records"]) == ("finished", run.head_hash, len(run.log))
    assert found["metrics"] == json.loads(json.dumps(run.metrics))
    with SqliteStore(path) as store:
        assert verify(store, store.info(found["id"])).status == "ok"
    listed = client.get(f"{BASE}/simulations").json()["simulations"]
    assert found["id"] in [row["id"] for row in listed]


def test_sections_may_be_given_instead_of_a_name(client):
    sections = {"name": "mine", "fund": {"size": "10m", "term_years": 3, "reinvestment_period_years": 1}}
    found = wait(client, create(client, scenario=sections, seed=2))
    assert found["scenario"] == "mine"
    assert found["head_hash"] == Scenario.from_dict(sections).with_(seed=2).run().head_hash


def test_the_same_key_is_the_same_simulation(client):
    body = {"scenario": "base", "seed": 9, "set": SMALL}
    first, second = (client.post(f"{BASE}/simulations", json=body, headers={"Idempotency-Key": "k1"}) for _ in range(2))
    assert first.json()["id"] == second.json()["id"]
    other = client.post(f"{BASE}/simulations", json={**body, "seed": 8}, headers={"Idempotency-Key": "k1"})
    assert (other.status_code, other.json()["detail"]) == (409, "this Idempotency-Key was used for another request")
    again = create(client, **body)
    assert again == f"{first.json()['id']}-2"
    assert wait(client, again)["head_hash"] == wait(client, first.json()["id"])["head_hash"]


def test_many_clients_lose_nothing(client):
    def ask(seed):
        return create(client, scenario="base", seed=seed, set=SMALL)

    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(ask, range(100, 124)))
    assert len(set(names)) == 24
    assert {wait(client, name)["status"] for name in names} == {"finished"}
    page = client.get(f"{BASE}/simulations?limit=10").json()
    seen = [row["id"] for row in page["simulations"]]
    while page["next"]:
        page = client.get(page["next"]).json()
        seen += [row["id"] for row in page["simulations"]]
    assert len(seen) == len(set(seen))
    assert set(names) <= set(seen)


def test_events_come_in_pages_and_whole(client, path, levered):
    with SqliteStore(path) as store:
        lines = [record.line() for record in store.log(levered)]
    got, address = [], f"{BASE}/simulations/{levered}/events?limit=1000"
    while address:
        page = client.get(address)
        got += page.json()["records"]
        address = page.json()["next"]
    assert [json.loads(line) for line in lines] == got
    exits = client.get(f"{BASE}/simulations/{levered}/events", params={"kind": "loan.exited/1", "limit": 3}).json()
    assert [row["kind"] for row in exits["records"]] == ["loan.exited/1"] * 3
    assert "kind=loan.exited/1" in exits["next"]


VIEWS = {
    "state": {"state_digest", "day", "date", "cash", "reserve", "nav", "loans", "facilities", "ledger"},
    "state?as_of=2028-03-31": {"state_digest", "cash"},
    "reinvestment": {"events", "summary", "visualization", "risk"},
    "reinvestment/risk": {"latest", "trend"},
    "leverage": {"facilities", "metrics", "visualization", "stress_test_results"},
    "leverage/facilities": {"facilities"},
    "leverage/events": {"events"},
    "leverage/metrics": {"metrics"},
    "allocation": {"checks", "conditions"},
    "stress": {"stress_test_results", "smallest_shock", "date"},
    "stress?at=2028-06-30": {"stress_test_results"},
    "settings": {"settings", "changeable", "commands"},
    "visualizations": {"figures"},
    "events?limit=5": {"records", "next"},
    "events/700/why": {"record", "causes", "effects", "lots"},
    "audit": {"dollar_days", "dollar_days_total", "cash_integral", "promises", "latencies"},
    "audit?ladder=true": {"steps", "residual"},
}


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_answers_with_its_fields(client, levered, view):
    answer = client.get(f"{BASE}/simulations/{levered}/{view}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert VIEWS[view] <= set(answer.json())
    tag = answer.headers["etag"]
    again = client.get(f"{BASE}/simulations/{levered}/{view}", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


def test_leverage_has_its_paths_without_a_version(client, levered):
    for path_ in ("leverage", "leverage/facilities", "leverage/events", "leverage/metrics"):
        assert (
            client.get(f"/simulations/{levered}/{path_}").json()
            == client.get(f"{BASE}/simulations/{levered}/{path_}").json()
        )


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_is_served(client, levered, name):
    answer = client.get(f"{BASE}/simulations/{levered}/visualizations/{name}")
    if name == "cash_reserve":
        assert answer.status_code in (200, 422)  # this fund has none
        return
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]["name"] == name
    assert answer.json()["figure"]["data"]


def test_the_report_is_a_page(client, levered):
    answer = client.get(f"{BASE}/simulations/{levered}/report.html")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "Timing audit" in answer.text


def test_forks_and_manual_reinvestments_are_new_simulations(client, levered, monkeypatch):
    monkeypatch.setattr(simulations, "PATIENCE", PATIENCE)
    body = {"at": "2028-03-31", "set": {"reinvestment_engine.reinvestment_delay": 3}}
    answer = client.post(f"{BASE}/simulations/{levered}/forks", json=body)
    assert answer.status_code == 201
    made = answer.json()
    assert (made["parent"], made["divergence_seq"] > 1) == (levered, True)
    assert answer.headers["location"] == f"{BASE}/simulations/{made['id']}"
    answer = client.post(f"{BASE}/simulations/{levered}/reinvestment", json={"amount": 100_000, "year": 3, "month": 2})
    assert (answer.status_code, answer.json()["parent"]) == (201, levered)
    found = client.get(f"{BASE}/comparisons", params={"a": levered, "b": made["id"]}).json()
    assert found["first_difference"]["seq"] == made["divergence_seq"]
    before = client.get(f"{BASE}/simulations/{levered}").json()
    assert before["head_hash"] == client.get(f"{BASE}/simulations/{levered}").json()["head_hash"]


def test_a_simulation_can_be_cancelled_and_resumed_to_the_same_bytes(tmp_path, monkeypatch):
    place = tmp_path / "s.db"
    monkeypatch.setattr(engine_module, "play_job", held.play_job)
    with TestClient(guarded(place, "127.0.0.1", 8000, None, [], workers=1), base_url=ADDRESS) as client:
        brake = held.Brake(place)
        brake.hold(0.5)
        running = create(client, scenario="base", seed=1)
        queued = create(client, scenario="base", seed=2, set=SMALL)
        assert client.delete(f"{BASE}/simulations/{queued}").json()["status"] == "cancelled"
        brake.held(running)
        assert client.get(f"{BASE}/simulations/{running}").json()["progress"] > 0.4
        assert client.delete(f"{BASE}/simulations/{running}").status_code == 202
        found = wait(client, running)
        assert found["status"] == "cancelled"
        assert found["records"] > 0
        again = client.delete(f"{BASE}/simulations/{running}")
        assert (again.status_code, "nothing to cancel" in again.json()["detail"]) == (409, True)
        brake.release()
        for name in (running, queued):
            assert client.post(f"{BASE}/simulations/{name}/resume").status_code == 202
        assert wait(client, running)["head_hash"] == Scenario.load("base").with_(seed=1).run().head_hash
        assert wait(client, queued)["head_hash"] == Scenario.load("base").with_(seed=2, set=SMALL).run().head_hash
        assert client.post(f"{BASE}/simulations/{queued}/resume").status_code == 409
    with SqliteStore(place) as store:
        assert verify(store, store.info(running)).status == "ok"


def test_what_a_stopped_service_left_open_is_interrupted_and_goes_on(tmp_path):
    place = tmp_path / "s.db"
    SqliteStore(place).close()
    jobs = Jobs(place)
    jobs.add("left", {"scenario": "base", "seed": 3, "set": SMALL}, None)
    jobs.move("left", "running")
    jobs.close()
    with TestClient(guarded(place, "127.0.0.1", 8000, None, [], workers=1), base_url=ADDRESS) as client:
        assert client.get(f"{BASE}/simulations/left").json()["status"] == "interrupted"
        assert client.post(f"{BASE}/simulations/left/resume").status_code == 202
        assert wait(client, "left")["head_hash"] == Scenario.load("base").with_(seed=3, set=SMALL).run().head_hash


def test_where_there_is_no_fork_server_and_no_niceness_workers_begin_anew(tmp_path, monkeypatch):
    """As on Windows."""
    monkeypatch.setattr("multiprocessing.get_all_start_methods", lambda: ["spawn"])
    with TestClient(guarded(tmp_path / "s.db", "127.0.0.1", 8000, None, [], workers=1), base_url=ADDRESS) as client:
        found = wait(client, create(client, scenario="base", seed=3, set=SMALL))
        assert found["head_hash"] == Scenario.load("base").with_(seed=3, set=SMALL).run().head_hash
    began = []
    monkeypatch.setattr(engine_module, "end_with_parent", lambda: began.append("ends with its parent"))
    monkeypatch.delattr("os.nice")
    engine_module._begin("runs")
    assert began == ["ends with its parent"]


def deep(levels):
    found = {}
    for _ in range(levels):
        found = {"a": found}
    return found


@pytest.mark.parametrize(
    ("method", "where", "body", "status", "detail"),
    [
        ("get", "/simulations/none", None, 404, "there is no simulation 'none'"),
        ("get", "/nothing", None, 404, "Not Found"),
        ("put", "/simulations", None, 405, "Method Not Allowed"),
        ("get", "/simulations/none/events", None, 404, "there is no simulation"),
        ("get", "/simulations?limit=0", None, 422, "query.limit"),
        ("get", "/simulations?after=none", None, 404, "there is no simulation"),
        ("get", "/comparisons?a=x", None, 422, "query.b"),
        ("post", "/simulations", {}, 422, "give a scenario, or a document"),
        ("post", "/simulations", {"scenario": "bsae"}, 422, "did you mean 'base'?"),
        ("post", "/simulations", {"scenario": "/etc/passwd"}, 422, "there is no '/etc/passwd'"),
        ("post", "/simulations", {"scenario": "base", "sede": 1}, 422, "body.sede"),
        ("post", "/simulations", {"scenario": "base", "seed": -1}, 422, "body.seed"),
        ("post", "/simulations", {"scenario": "base", "seed": "1"}, 422, "body.seed"),
        ("post", "/simulations", {"scenario": "base", "set": {"fund.sice": 1}}, 422, "did you mean 'size'?"),
        ("post", "/simulations", {"scenario": "base", "set": {"loans.tape": "x.csv"}}, 422, "files can't be named"),
        ("post", "/simulations", {"scenario": {"loans": {"tape": "x.csv"}}}, 422, "files can't be named"),
        ("post", "/simulations", {"scenario": "base", "set": {"market": {"rate_file": "x"}}}, 422, "files can't be named"),
        ("post", "/simulations", {"scenario": deep(MAX_DEPTH + 5)}, 422, "levels"),
        ("post", "/simulations", {"scenario": {"zones": {str(n): {} for n in range(30_000)}}}, 422, "values"),
        ("post", "/simulations/none/forks", {"at": "2028-01-01"}, 404, "there is no simulation"),
        ("post", "/simulations/none/resume", None, 404, "there is no simulation"),
        ("delete", "/simulations/none", None, 404, "there is no simulation"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_a_problem(client, method, where, body, status, detail):
    answer = client.request(method, BASE + where, json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    found = answer.json()
    assert detail in found["detail"]
    assert (found["status"], found["instance"]) == (status, (BASE + where).partition("?")[0])


@pytest.mark.parametrize(
    ("where", "body", "detail"),
    [
        ("forks", {"at": "tomorrow"}, "expected a date like 2028-03-31"),
        ("forks", {"at": "2050-01-01"}, "outside the fund's life"),
        ("forks", {"at": "2028-01-01", "set": {"fund.size": 5}}, "can't change during a run"),
        ("forks", {"at": "2028-01-01", "do": [{"shock_prise": 5}]}, "did you mean 'shock_price'?"),
        ("forks", {"at": "2028-01-01", "do": [5]}, "body.do.0"),
        ("reinvestment", {"amount": -5, "year": 1}, "greater than 0"),
        ("reinvestment", {"amount": 5}, "body.year"),
        ("reinvestment", {"amount": 5, "year": 30}, "outside the fund's life"),
        (
            "reinvestment",
            {"amount": 5, "year": -1},
            "reinvest.year: input should be greater than or equal to 0, got -1",
        ),
        ("reinvestment", {"amount": 5, "year": 1e300}, "reinvest.year: input should be less than or equal to 60"),
    ],
)
def test_what_is_wrong_with_a_fork_is_a_problem(client, levered, where, body, detail):
    answer = client.post(f"{BASE}/simulations/{levered}/{where}", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert detail in answer.json()["detail"]


@pytest.mark.parametrize(
    ("where", "detail"),
    [
        ("visualizations/nope", "there is no 'nope'"),
        ("state?as_of=yesterday", "expected a date like"),
        ("state?as_of=2020-01-01", "is before the fund's start"),
        ("stress?at=2026-01-01", "was not tested until"),
        ("events/1000000/why", "there is no record 1000000"),
        ("events/0/why", "path.seq"),
        ("visualizations/sweep_fan", "there is no 'sweep_fan'"),
        ("events?kind=loan.exit/1", "there is no kind 'loan.exit/1'; did you mean 'loan.exited/1'?"),
        ("events?after_seq=-1", "query.after_seq"),
        ("events?limit=100000", "query.limit"),
    ],
)
def test_what_is_wrong_with_a_question_is_a_problem(client, levered, where, detail):
    answer = client.get(f"{BASE}/simulations/{levered}/{where}")
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert detail in answer.json()["detail"]


def test_bodies_that_are_too_large_or_no_json_are_refused(client):
    large = client.post(
        f"{BASE}/simulations", content=b" " * (MAX_BODY + 1), headers={"content-type": "application/json"}
    )
    assert (large.status_code, large.headers["content-type"]) == (413, "application/problem+json")
    broken = client.post(f"{BASE}/simulations", content=b'{"scenario": ', headers={"content-type": "application/json"})
    assert (broken.status_code, broken.headers["content-type"]) == (422, "application/problem+json")
    nested = client.post(f"{BASE}/simulations", content=b"[" * 100_000, headers={"content-type": "application/json"})
    assert nested.status_code in (400, 422)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "127.0.0.1:8000"}, 200),
        ({"Host": "localhost:8000"}, 200),
        ({"Host": "127.0.0.1"}, 403),
        ({"Host": "127.0.0.1:8001"}, 403),
        ({"Host": "evil.example:8000"}, 403),
        ({"Host": "localhost:8000.evil.example"}, 403),
        ({"Origin": "http://127.0.0.1:8000"}, 200),
        ({"Origin": "http://localhost:8000"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:8000.evil.example"}, 403),
    ],
)
def test_only_exact_hosts_and_origins_are_answered(client, headers, status):
    answer = client.get(f"{BASE}/version", headers=headers)
    assert answer.status_code == status
    if status == 403:
        assert answer.headers["content-type"] == "application/problem+json"


def test_beyond_loopback_a_token_is_needed(tmp_path):
    place, token = tmp_path / "s.db", "0123456789abcdef0123"
    for host in ("0.0.0.0", "10.0.0.5", "::", "example.com"):
        assert not is_loopback(host)
        with pytest.raises(InvalidInput, match="can be reached from other machines"):
            guarded(place, host, 8000, None, [])
    assert all(map(is_loopback, ("127.0.0.1", "127.8.8.8", "::1", "localhost")))
    with pytest.raises(InvalidInput, match="too short"):
        guarded(place, "0.0.0.0", 8000, "short", [])
    application = guarded(place, "0.0.0.0", 8000, token, ["fund.example:8000"], workers=1)
    with TestClient(application, base_url="http://fund.example:8000") as client:
        assert client.get(f"{BASE}/version").status_code == 401
        assert client.get(f"{BASE}/version", headers={"Authorization": "Bearer wrong"}).status_code == 401
        assert client.get(f"{BASE}/version", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_the_command_refuses_an_open_address(fundclock):
    code, _, err = fundclock("serve", "--host", "0.0.0.0")
    assert (code, "can be reached from other machines" in err) == (2, True)


def test_every_path_is_described(client):
    described = client.get(f"{BASE}/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    for path_, methods in described["paths"].items():
        for method, operation in methods.items():
            assert operation.get("summary"), (method, path_)
            assert "422" in operation["responses"] or not operation.get("parameters"), (method, path_)
    expected = ("simulations", "simulations/{name}", "simulations/{name}/events", "simulations/{name}/state",
                "simulations/{name}/reinvestment", "simulations/{name}/leverage", "simulations/{name}/allocation",
                "simulations/{name}/visualizations/{figure}", "simulations/{name}/audit", "simulations/{name}/forks",
                "simulations/{name}/report.html", "comparisons")  # fmt: skip
    assert {f"{BASE}/{one}" for one in expected} <= set(described["paths"])


HUGE = "1e999999999"


@pytest.mark.parametrize(
    ("where", "body"),
    [
        ("simulations", {"scenario": "base", "set": {"fund.size": HUGE}}),
        ("simulations", {"scenario": "base", "set": {"zones.green.volatility": f"{HUGE}%"}}),
        ("simulations", {"document": f"fund: {{size: {HUGE}m}}"}),
        ("simulations/RUN/forks", {"at": "2028-01-01", "do": [{"shock_price": f"{HUGE}%"}]}),
        ("simulations/RUN/reinvestment", {"amount": HUGE, "year": 3}),
        ("simulations", {"scenario": "\ud800"}),
        ("simulations", {"scenario": "base", "set": {"zones.\ud800": {}}}),
        ("simulations", {"document": "name: \ud800"}),
        ("sweeps", {"scenario": "base", "sweep": {"\ud800": [1]}}),
        ("simulations/RUN/forks", {"at": "\ud800"}),
        ("simulations/RUN/forks", {"at": "2028-01-01", "do": [{"\ud800": 1}]}),
        ("simulations/RUN/reinvestment", {"amount": 5, "year": 3, "source_details": {"\ud800": 1}}),
        ("session", {"token": "\ud800"}),
    ],
)
def test_numbers_and_texts_that_are_none_are_problems(client, levered, where, body):
    text = json.dumps(body)
    answer = client.post(
        f"{BASE}/{where.replace('RUN', levered)}", content=text, headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


@pytest.mark.parametrize("rest", ["state?as_of=garbage", "visualizations/nope", "events/999999/why", "stress?at=x"])
def test_what_is_wrong_is_said_to_those_who_have_something_too(client, levered, rest):
    tag = client.get(f"{BASE}/simulations/{levered}").headers["etag"]
    assert client.get(f"{BASE}/simulations/{levered}/{rest}", headers={"If-None-Match": tag}).status_code == 422


def test_runs_in_different_currencies_are_not_bridged(client, levered):
    other = create(client, scenario="base", seed=5, set={**SMALL, "fund.currency": "EUR"})
    wait(client, other)
    found = client.get(f"{BASE}/comparisons", params={"a": levered, "b": other}).json()
    assert found["figures"] == {}
    assert client.get(f"{BASE}/comparisons", params={"a": levered, "b": levered}).json()["figures"]
