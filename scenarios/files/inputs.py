"""The files that a scenario reads: found, read once, identified by the SHA-256 of their bytes."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from fundclock.events.stores.store import InputFile
from fundclock.scenarios.files.problems import InvalidInput, Problem
from fundclock.scenarios.files.schema import ScenarioConfig

KEYS = ("market.rate_file", "market.index_file", "loans.tape")
DIGEST = "sha256:"
MAX_BYTES = 2_000_000_000

Reader = Callable[[str], InputFile]
"""Finds an input that is named by its digest."""


def file_name(config: ScenarioConfig, key: str) -> str | None:
    """What the scenario says at one of ``KEYS``."""
    section, name = key.split(".")
    value: str | None = getattr(getattr(config, section), name)
    return value


def load_inputs(config: ScenarioConfig, kept: Reader | None = None) -> dict[str, InputFile]:
    """The inputs by key. Raises InvalidInput for a file that can't be read."""
    found: dict[str, InputFile] = {}
    problems: list[Problem] = []
    for key in KEYS:
        name = file_name(config, key)
        if name is None:
            continue
        if name.startswith(DIGEST):
            if kept is None:
                problems.append(Problem(key, f"'{name}' refers to a stored input, but no store was given"))
            else:
                found[key] = kept(name.removeprefix(DIGEST))
            continue
        try:
            if Path(name).stat().st_size > MAX_BYTES:
                problems.append(Problem(key, f"{name} is larger than {MAX_BYTES:,} bytes"))
                continue
            content = Path(name).read_bytes()
        except OSError as error:
            problems.append(Problem(key, f"can't read {name}: {error.strerror or error}"))
            continue
        found[key] = InputFile(hashlib.sha256(content).hexdigest(), Path(name).name, content)
    if problems:
        raise InvalidInput(problems)
    return found


def by_digest(config: ScenarioConfig, inputs: dict[str, InputFile]) -> ScenarioConfig:
    """The config with each file named by its digest, so that it means the same wherever the files are."""
    for key, item in inputs.items():
        section, name = key.split(".")
        inner = getattr(config, section).model_copy(update={name: DIGEST + item.digest})
        config = config.model_copy(update={section: inner})
    return config
