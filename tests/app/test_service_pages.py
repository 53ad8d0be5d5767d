"""What the service sends to browsers: the dashboard's files, headers that bind them, a session instead of a token."""

import gzip
import json
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from fundclock.app.service.application import make_application
from fundclock.app.service.dashboard import FOLDER
from fundclock.app.service.serve import guarded
from fundclock.app.service.stream import asyncapi
from serving import ADDRESS, BASE

DOCS = Path(__file__).resolve().parents[2] / "docs"
TOKEN = "0123456789abcdef0123"


@pytest.fixture
def client(tmp_path):
    with TestClient(guarded(tmp_path / "s.db", "127.0.0.1", 8000, None, [], workers=1), base_url=ADDRESS) as made:
        yield made


def test_the_page_and_all_its_files_are_there_and_ask_no_other_host(client):
    page = client.get("/")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    for path in FOLDER.iterdir():
        answer = client.get(f"/assets/{path.name}")
        assert (answer.status_code, answer.content) == (200, path.read_bytes())
        named = [
            part for part in path.read_text().split("//")[1:] if not part.startswith((" ", "www.w3.org/2000/svg", "${"))
        ]
        assert named == [], path.name
        again = client.get(f"/assets/{path.name}", headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_plotly_comes_from_its_installed_package(client):
    from plotly.offline import get_plotlyjs

    answer = client.get("/assets/plotly.js", headers={"Accept-Encoding": "gzip"})
    assert (answer.headers["content-encoding"], answer.text) == ("gzip", get_plotlyjs())
    plain = client.get("/assets/plotly.js", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert len(gzip.compress(plain.content)) < len(plain.content) / 2


@pytest.mark.parametrize("name", ["nope.js", "..%2f..%2fcli.py", "%2e%2e/serve.py", "index.html%00", "", "__init__.py"])
def test_nothing_else_is_sent(client, name):
    answer = client.get(f"/assets/{name}")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_every_answer_is_bound_by_its_headers(client):
    for path in ("/", "/assets/main.js", f"{BASE}/version", f"{BASE}/simulations/none", "/nothing"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        policy = headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self'" in policy
        assert "http" not in policy
    assert "sandbox" in client.get(f"{BASE}/simulations/none/report.html").headers["content-security-policy"]


@pytest.fixture
def closed(tmp_path):
    guard = guarded(tmp_path / "s.db", "0.0.0.0", 8000, TOKEN, ["fund.example:8000"], workers=1)
    with TestClient(guard, base_url="http://fund.example:8000") as made:
        yield made


def test_a_session_stands_for_the_token(closed):
    assert closed.get("/").status_code == 200  # nothing of anyone's is in it
    assert closed.get("/assets/main.js").status_code == 200
    assert closed.get(f"{BASE}/simulations").status_code == 401
    assert closed.get(f"{BASE}/openapi.json").status_code == 401
    for body in (b"", b"{", b"[]", b'{"token": 5}', b'{"toke": ""}', b"[" * 100_000):
        assert closed.post(f"{BASE}/session", content=body).status_code == 422
    assert closed.post(f"{BASE}/session", json={"token": "wrong"}).status_code == 401
    assert closed.put(f"{BASE}/session", json={"token": TOKEN}).status_code == 405
    answer = closed.post(f"{BASE}/session", json={"token": TOKEN})
    assert answer.status_code == 204
    given = answer.headers["set-cookie"]
    assert TOKEN not in given
    assert all(term in given for term in ("HttpOnly", "SameSite=Strict"))
    assert closed.get(f"{BASE}/simulations").status_code == 200
    crossed = closed.post(f"{BASE}/simulations", json={"scenario": "base"}, headers={"Origin": "http://evil.example"})
    assert crossed.status_code == 403
    value = given.split(";")[0]
    beside = {"Cookie": f'prefs={{"a":1}}; k[0]=1; {value}; a b'}  # other programs on the host have cookies too
    assert closed.get(f"{BASE}/simulations", headers=beside).status_code == 200
    assert closed.delete(f"{BASE}/session").status_code == 204
    assert closed.get(f"{BASE}/simulations").status_code == 401
    closed.cookies.clear()
    assert closed.get(f"{BASE}/simulations", headers=beside).status_code == 401  # ended, not forgotten only


def test_other_sites_can_ask_nothing(client):
    for site in ("cross-site", "same-site"):
        asked = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}
        assert client.get(f"{BASE}/version", headers=asked).status_code == 403
        assert client.get("/", headers={**asked, "Sec-Fetch-Mode": "navigate"}).status_code == 200
        assert client.get(f"{BASE}/version", headers={**asked, "Sec-Fetch-Mode": "navigate"}).status_code == 403
    assert client.get(f"{BASE}/version", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200


@pytest.mark.parametrize(
    "cookie", ["", "fundclock_session=", "fundclock_session=x", "fundclock_session", ";;=;", "é=1"]
)
def test_other_cookies_stand_for_nothing(closed, cookie):
    answer = closed.get(f"{BASE}/simulations", headers={"Cookie": cookie.encode()})
    assert answer.status_code == 401


@pytest.mark.parametrize("given", [TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN} x", "Bearer", f"bearer  {TOKEN}"])
def test_the_token_is_sent_as_a_bearer_token_exactly(closed, given):
    assert closed.get(f"{BASE}/simulations", headers={"Authorization": given}).status_code == 401


def test_the_documents_in_docs_describe_this_service():
    """Written anew by ``python -m docs.described``."""
    api = make_application(Path("nowhere.db"))
    assert json.loads((DOCS / "openapi.json").read_text()) == json.loads(json.dumps(api.openapi()))
    assert json.loads((DOCS / "asyncapi.json").read_text()) == json.loads(json.dumps(asyncapi()))
