"""Runs the examples in README and docs: Python blocks, and console blocks whose commands start with ``$``."""

import contextlib
import doctest
import io
import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import pytest
from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser

from fundclock.app.cli import main as cli
from fundclock.app.cli import terminal


def _run(words: list[str]) -> str:
    """What a command prints on stdout and stderr."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    before = sys.argv
    sys.argv = words
    try:
        with (
            patch.object(terminal, "QUIET_SECONDS", math.inf),  # no progress shows, however slow the machine
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(out),
            contextlib.suppress(SystemExit),
        ):
            cli.main()
    finally:
        sys.argv = before
    return out.buffer.getvalue().decode()


def _console(example: Example) -> str | None:
    """Run each ``$`` line and compare what it prints; ``...`` stands for anything."""
    parts = example.parsed.split("$ ")[1:]
    for part in parts:
        command, _, expected = part.partition("\n")
        words = command.replace("make demo", "fundclock demo").split()
        got = _run(words)
        checker = doctest.OutputChecker()
        if not checker.check_output(expected, got, doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE):
            return f"{command}\nexpected:\n{expected}\ngot:\n{got}"
    return None


@pytest.fixture(scope="module")
def empty_folder() -> Iterator[None]:
    """Examples of one page share a folder of their own."""
    before = Path.cwd()
    with TemporaryDirectory() as folder:
        os.chdir(folder)
        yield
        os.chdir(before)


def _no_store(_namespace: dict[str, Any]) -> None:
    os.environ.pop("FUNDCLOCK_STORE", None)


pytest_collect_file = Sybil(
    parsers=[CodeBlockParser(language="console", evaluator=_console), PythonCodeBlockParser()],
    patterns=["*.md"],
    fixtures=["empty_folder"],
    setup=_no_store,
).pytest()
