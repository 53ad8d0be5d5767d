# Each target sets up what it needs in .venv and then does its job. Only Python (3.11 or newer) and make are needed.
PYTHON ?= python3
BIN := .venv/bin
CODE := events handlers sim scenarios app tests benchmarks docs conftest.py

.PHONY: demo test check lint bench format lock browser pictures clean

demo: .venv/run.done
	$(BIN)/fundclock demo

test: .venv/dev.done
	$(BIN)/python -m pytest

check: lint test

lint: .venv/dev.done
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/dev.done
	$(BIN)/python -m benchmarks

format: .venv/dev.done
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

# The locked requirements, with hashes and for every platform. Needs uv.
lock:
	for set in run dev; do uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate --upgrade requirements/$$set.in -o requirements/$$set.txt; done

# A browser for the tests of the dashboard, which skip without one. On Debian and its kin; elsewhere install a Chromium.
browser:
	command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; }

# The screenshots and documents in docs.
pictures: .venv/dev.done
	$(BIN)/python -m docs.described
	$(BIN)/python -m docs.pictures.screenshots

clean:
	rm -rf .venv build *.egg-info

# dev.txt holds all of run.txt, so either set can be laid on the other. Without uv, venv and pip do the same.
.venv/%.done: requirements/%.txt pyproject.toml
	test -d .venv || if command -v uv >/dev/null; then uv venv --quiet --python $(PYTHON) .venv; else $(PYTHON) -m venv .venv; fi
	if command -v uv >/dev/null; then \
	  uv pip install --quiet --python $(BIN)/python --require-hashes -r $< && \
	  uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e . ; \
	else \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $< && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . ; \
	fi
	touch $@
