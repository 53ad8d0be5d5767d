"""Full reports on the engines of a run: rows and charts, as JSON values."""

from typing import Any

from fundclock.scenarios.charts import leverage as leverage_charts
from fundclock.scenarios.charts import reinvestment as reinvestment_charts
from fundclock.scenarios.charts.allocation import allocation_drift
from fundclock.scenarios.runs.recorded import RecordedRun
from fundclock.scenarios.views.allocation import allocation_rows
from fundclock.scenarios.views.debt_impact import impact_of, without_debt
from fundclock.scenarios.views.leverage import DebtHistory, facility_rows, metrics_of
from fundclock.scenarios.views.leverage import event_rows as leverage_events
from fundclock.scenarios.views.reinvestment import event_rows, risk_of_events, summary_of
from fundclock.scenarios.views.reinvestment_history import History, read_history
from fundclock.scenarios.views.stress import stress, stress_tests


def allocation_report(run: RecordedRun) -> dict[str, Any]:
    """Checks, triggers, conditions of the market and the figure. Raises InvalidInput where nothing allocates."""
    return {**allocation_rows(run), "visualization": {"charts": {"allocation_drift": allocation_drift(run).as_json()}}}


def leverage_report(run: RecordedRun) -> dict[str, Any]:
    """The full report on a run's facilities. Raises InvalidInput if it has none."""
    history = DebtHistory(run)
    twin = without_debt(run)
    tested = bool(stress_tests(history))
    report = stress(run).as_json() if tested else None
    charts = {
        name: leverage_charts.leverage_impact(history, twin) if name == "leverage_impact" else chart(history)
        for name, chart in leverage_charts.CHARTS.items()
        if tested or name != "stress_results"
    }
    return {
        "facilities": facility_rows(history),
        "metrics": metrics_of(history),
        "events": leverage_events(history),
        "impact": impact_of(run, twin),
        "visualization": {"charts": {name: chart.as_json() for name, chart in charts.items()}},
        "stress_test_results": report["stress_test_results"] if report else {},
        "stress_test": report,
    }


def generate_reinvestment_visualization(run: RecordedRun) -> dict[str, Any]:
    """All charts, tables and key figures of a run's reinvestment as JSON values."""
    history = read_history(run)
    return _visualization(history, summary_of(history), risk_of_events(history))


def _visualization(history: History, summary: dict[str, Any], risk: dict[str, Any]) -> dict[str, Any]:
    efficiency = summary["reinvestment_efficiency"]
    return {
        "charts": {name: chart(history).as_json() for name, chart in reinvestment_charts.CHARTS.items()},
        "tables": {name: table(history).as_json() for name, table in reinvestment_charts.TABLES.items()},
        "kpis": {
            "total_reinvested": summary["total_reinvested"],
            "num_reinvestment_events": summary["num_reinvestment_events"],
            "avg_reinvestment_amount": summary["avg_reinvestment_amount"],
            "reinvestment_ratio": efficiency["reinvestment_ratio"],
            "avg_time_to_reinvest": efficiency["avg_time_to_reinvest"],
            "reinvestment_roi": summary["reinvestment_performance"]["roi"],
            "num_reinvestment_loans": summary["num_reinvestment_loans"],
            "reinvestment_portfolio_impact": efficiency["reinvestment_portfolio_impact"],
            "risk_metrics": {name: risk[name] for name in ("latest", "trend", "by_reinvestment")},
        },
    }


def reinvestment_report(run: RecordedRun) -> dict[str, Any]:
    """The full report on a run's reinvestment: events, summary, risk, visualization."""
    history = read_history(run)
    summary, risk = summary_of(history), risk_of_events(history)
    return {
        "events": event_rows(history),
        "summary": summary,
        "risk": risk,
        "visualization": _visualization(history, summary, risk),
    }
