# Each target sets up what it needs in .venv and then does its job. Only Python (3.11 or newer) and make are needed.
# With another Python, as in `make test PYTHON=python3.13`, the environment is .venv-3.13.
PYTHON ?= python3
VENV := .venv
ifneq ($(PYTHON),python3)
VENV := .venv-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
ifeq ($(VENV),.venv-)
$(error PYTHON=$(PYTHON) does not run)
endif
endif
BIN := $(VENV)/bin
# With uv where there is one; without it, venv and pip do the same.
UV := $(or $(shell command -v uv 2>/dev/null),$(wildcard $(BIN)/uv))
ifneq ($(UV),)
MAKE_VENV = test -x $(BIN)/python || $(UV) venv --quiet --clear --python $(PYTHON) $(VENV)
INSTALL = $(UV) pip install --quiet --python $(BIN)/python
else
MAKE_VENV = $(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
endif
CODE := events handlers sim scenarios app fundclock/__init__.py fundclock/__main__.py \
  tests benchmarks docs conftest.py setup.py .ci

# Tests of one file share what they set up and the examples of one page build on each other: a file stays in one process.
PYTEST_ARGS ?= -n auto --dist loadfile

.PHONY: demo test check lint installation bench format lock browser pictures docs clean

demo: $(VENV)/run.done
	$(BIN)/fundclock demo

test: $(VENV)/dev.done
	$(BIN)/python -m pytest $(PYTEST_ARGS)

check: lint test installation

lint: $(VENV)/dev.done
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports

# What an installation holds and does: wheel and source distribution, in empty environments, with each Python at hand.
installation: $(VENV)/dev.done
	$(BIN)/python .ci/installation.py

bench: $(VENV)/dev.done
	$(BIN)/python -m benchmarks

format: $(VENV)/dev.done
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

# The locked requirements, with hashes and for every platform. What is locked stays, unless UPGRADE=--upgrade is given.
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --no-header --no-annotate $(UPGRADE)
lock: $(VENV)/dev.done
	$(LOCK) pyproject.toml --extra service requirements/dev.in -o requirements/dev.txt
	$(LOCK) pyproject.toml --extra service requirements/run.in -c requirements/dev.txt -o requirements/run.txt
	$(LOCK) requirements/installation.in -c requirements/dev.txt -o requirements/installation.txt

# A browser for the tests of the dashboard, which skip without one. On Debian and its kin; elsewhere install a Chromium.
browser:
	command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; }

# The documents in docs that are made from the code.
docs: $(VENV)/dev.done
	$(BIN)/python -m docs.described
	$(BIN)/python -m docs.settings

# The screenshots in docs.
pictures: docs
	$(BIN)/python -m docs.pictures.screenshots

clean:
	rm -rf .venv .venv-* build *.egg-info

# dev.txt holds all of run.txt, so either set can be laid on the other.
$(VENV)/%.done: requirements/%.txt pyproject.toml setup.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version)'
	$(MAKE_VENV)
	$(INSTALL) --require-hashes -r $<
	$(INSTALL) --no-deps --no-build-isolation -e .
	touch $@
