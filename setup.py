"""Which packages a distribution has: the floors stand at the top of the tree and are installed below ``fundclock``."""

from setuptools import find_packages, setup

FLOORS = ("events", "handlers", "sim", "scenarios", "app")

setup(
    packages=["fundclock"]
    + [f"fundclock.{found}" for found in find_packages(include=[*FLOORS, *(f"{floor}.*" for floor in FLOORS)])],
    package_dir={f"fundclock.{floor}": floor for floor in FLOORS},
)
