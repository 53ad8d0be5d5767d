"""Which packages a distribution has, and what a package index shows of it.

The floors stand at the top of the tree and are installed below ``fundclock``, for which its links are not needed.
"""

import re
from pathlib import Path

from setuptools import find_packages, setup

FLOORS = ("events", "handlers", "sim", "scenarios", "app")

FURTHER = """
The files that are named here come with the source distribution, as does what the two commands need.
"""


def for_an_index(readme: str) -> str:
    """The README where links into this tree lead nowhere: they are named instead, and pictures left out."""
    without_pictures = re.sub(r"^!\[[^]]*\]\((?!https?:)[^)]*\)\n\n", "", readme, flags=re.MULTILINE)
    return re.sub(r"\[([^]]*)\]\((?!https?:|#)([^)]*)\)", r"\1 (`\2`)", without_pictures) + FURTHER


setup(
    packages=["fundclock"]
    + [f"fundclock.{found}" for found in find_packages(include=[*FLOORS, *(f"{floor}.*" for floor in FLOORS)])],
    package_dir={f"fundclock.{floor}": floor for floor in FLOORS},
    long_description=for_an_index((Path(__file__).parent / "README.md").read_text(encoding="utf-8")),
    long_description_content_type="text/markdown",
)
