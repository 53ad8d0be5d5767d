"""Every endpoint under requests made from the OpenAPI document: what it answers is described, and never a 500."""

from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from fundclock.app.service.application import make_application
from serving import BASE, PATIENCE, Served

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
DAYS = ["2026-01-01", "2028-03-31", "2029-12-31", "2030-01-01", "2099-01-01", "1900-01-01", "2028-02-30", "today", ""]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with Served(tmp_path_factory.mktemp("fuzzed"), "--workers", "1") as made:
        yield made


@pytest.fixture(scope="module")
def api(served):
    """The document, with names and days that are there among those that are tried."""
    small = {"fund.size": "10m", "fund.term_years": 3, "fund.reinvestment_period_years": 2}
    levered = {"fund.term_years": 4, "fund.reinvestment_period_years": 3}
    runs = [served.play("levered", 7, levered), served.play("base", 7, small), "none", "../x", "sweep-00000000"]
    described = served.get("/openapi.json")
    for path, methods in described["paths"].items():
        for operation in methods.values():
            for parameter in operation.get("parameters", []):
                match parameter["name"], parameter["in"]:
                    case "name", "path" if "/scenarios" not in path:
                        parameter["schema"] = {"enum": runs}
                    case (("a" | "b" | "after"), "query"):
                        parameter["schema"] = {"enum": runs}
                    case (("as_of" | "at"), "query"):
                        parameter["schema"] = {"enum": DAYS}
                    case "figure", "path":
                        parameter["schema"] = {"enum": ["cash", "nav", "stress_results", "sweep_fan", "%00"]}
                    case (("ladder" | "shapley" | "ties" | "headroom"), "query"):
                        parameter["schema"] = {"enum": [False, "x"]}  # what is slow has tests of its own
    at = described["components"]["schemas"]["ForkRequest"]["properties"]["at"]
    at.clear()
    at["enum"] = DAYS
    loaded = schemathesis.openapi.from_dict(described)
    loaded.config.update(base_url=served.url)
    return loaded


PATHS = make_application(Path("nowhere.db")).openapi()["paths"]
OPERATIONS = [(method, path) for path, methods in PATHS.items() for method in methods]


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_answer_is_as_described(api, method, path):
    @settings(max_examples=150 if method == "post" else 25, suppress_health_check=list(HealthCheck))
    @given(api[path][method].as_strategy())
    def ask(case):
        answer = case.call(timeout=PATIENCE)
        case.validate_response(answer, checks=CHECKS)
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == ["application/problem+json"]
            assert answer.json()["status"] == answer.status_code

    ask()


@pytest.mark.parametrize("body", ["{", "[]", "null", '"x"', "\x00", "{}" * 1000, "[" * 100_000, '{"a":' * 20_000])
@pytest.mark.parametrize("path", ["/simulations", "/sweeps", "/simulations/none/forks", "/session"])
def test_bodies_that_are_no_json_are_problems(served, path, body):
    import urllib.error
    import urllib.request

    request = urllib.request.Request(
        served.url + BASE + path, body.encode(), {"Content-Type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            assert path == "/session", answer.read()  # on loopback no token is asked for
    except urllib.error.HTTPError as error:
        assert 400 <= error.code < 500
        assert error.headers["content-type"] == "application/problem+json"
