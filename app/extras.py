"""Packages that not every installation has: which extra brings them, and what to say when one is missing."""

from collections.abc import Iterator
from contextlib import contextmanager

PACKAGES = {
    "figures": ("plotly", "jinja2", "markupsafe"),
    "service": ("fastapi", "starlette", "uvicorn", "websockets"),
}
"""The import names of each extra that this version uses; ``service`` needs those of ``figures`` too."""


class MissingExtra(ImportError):
    """Something was asked for whose packages are not installed."""

    def __init__(self, what: str, extra: str, package: str) -> None:
        super().__init__(what, extra, package, name=package)
        self.extra = extra

    def __str__(self) -> str:
        what, extra, package = self.args
        return f"{what} needs the package {package}, which is not installed; install it with: {command(extra)}"


def command(extra: str) -> str:
    """The command that installs an extra."""
    return f'pip install "fundclock[{extra}]"'


@contextmanager
def needs(extra: str, what: str) -> Iterator[None]:
    """Around imports that need an extra. Raises MissingExtra, with the command that installs it, where it is missing.

    An import that fails for another reason stays as it is.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        known = {*PACKAGES[extra], *PACKAGES["figures"]} if extra == "service" else {*PACKAGES[extra]}
        if package not in known:
            raise
        raise MissingExtra(what, extra, package) from None
