"""Small funds with a NAV line that scripts move."""

from funds import fund

RATE = {"market__base_rate": {"model": "constant", "initial": 0.04}}
LOAN = "G,green,1000000,2500000,0,30,,,"


def line(**settings):
    """A NAV line alone, moved by scripts only: 4 % + 275 bp, 50 bp on what is undrawn."""
    return {
        "leverage__enabled": True,
        "leverage__ramp_line__enabled": False,
        "leverage__optimization__enabled": False,
        "leverage__green_sleeve__min_loans": 0,
        "leverage__green_sleeve__concentration": {"zone": 1, "loan": 1},
        **RATE,
        **{f"leverage__green_sleeve__{name}": value for name, value in settings.items()},
    }


def drawn(tmp_path, script, rows=(LOAN,), **settings):
    """Loans of the rows, as much again to call for fees and interest, and what a script does with the line."""
    size = 2 * sum(float(row.split(",")[2]) for row in rows)
    changes = {"fund__size": size, "fund__fee_reserve": 0.5, "fund__deployment_months": 1, "script": script}
    return fund(tmp_path, list(rows), **{**changes, **line(), **settings})


def draw(at, amount):
    return {"at": at, "do": {"draw": {"amount": amount}}}


def repay(at, amount):
    return {"at": at, "do": {"repay": {"amount": amount}}}
