"""What is said where the packages of an extra are missing."""

import pickle
import sys

import pytest

import fundclock
from fundclock.app.extras import MissingExtra, needs


def test_a_drawing_without_its_extra_names_the_command(monkeypatch):
    monkeypatch.delitem(sys.modules, "fundclock.app.drawing", raising=False)
    monkeypatch.delitem(vars(fundclock), "draw", raising=False)
    monkeypatch.setitem(sys.modules, "plotly", None)
    sentence = (
        "fundclock.draw needs the package plotly, which is not installed; "
        'install it with: pip install "fundclock[figures]"'
    )
    with pytest.raises(MissingExtra) as found:
        from fundclock import draw  # noqa: F401
    assert str(found.value) == sentence
    with pytest.raises(ImportError) as found:
        fundclock.draw({})
    assert str(found.value) == sentence


def test_the_service_names_its_own_extra_for_what_figures_need():
    with (
        pytest.raises(MissingExtra, match=r"the service needs the package jinja2, .*\[service\]"),
        needs("service", "the service"),
    ):
        raise ModuleNotFoundError("no jinja2", name="jinja2.sandbox")


@pytest.mark.parametrize("name", ["fastapi", "numpy", None])
def test_other_modules_that_are_missing_are_not_the_extra(name):
    with pytest.raises(ModuleNotFoundError, match="broken"), needs("figures", "a report"):
        raise ModuleNotFoundError("broken", name=name)


def test_the_error_travels_between_processes():
    error = MissingExtra("a report", "figures", "plotly")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.extra, again.name) == (str(error), "figures", "plotly")
