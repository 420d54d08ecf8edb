# bouncemilter's build. `make` alone lists what there is.

VENV := .venv
# The Python that .venv was last made of, by the name it was given then.
PYTHON ?= $(or $(shell cat $(VENV)/python.name 2>/dev/null),python3)
BIN := $(VENV)/bin
# A plain `su` leaves the folders of daemons and admin commands out of PATH.
export PATH := $(PATH):/usr/local/sbin:/usr/sbin:/sbin
COMPILE = build/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links $(if $(UPGRADE),--upgrade)

.DEFAULT_GOAL := help
.PHONY: help setup demo check test bench fuzz lint root servers lock clean

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

setup: ## Make .venv with the locked packages; needs Python 3.11 or later (PYTHON=python3.12 chooses one)
	@tests/setup/venv "$(PYTHON)" $(VENV)

demo: setup ## Show bounces being handled behind a private Postfix, which is installed if no MTA is there
	@tests/setup/debian demo
	@$(BIN)/python -m tests.demo

check: setup lint ## The quick half: linters, types and the tests that need neither servers nor long
	$(BIN)/pytest -q -n auto -m 'not servers and not slow'

test: root setup servers lint ## Everything, with real servers: needs root on Debian
	$(BIN)/pytest -q -n auto -m 'not servers' --cov --cov-report=
	$(BIN)/pytest -q -n 2 -m servers --cov --cov-append --cov-report=term:skip-covered

bench: setup ## Speeds, side by side with a peer or a bare loop
	$(BIN)/python -m tests.bench

fuzz: setup ## Fuzz reading and classifying for SECONDS (60)
	$(BIN)/python -m tests.fuzz.reading -max_total_time=$(or $(SECONDS),60) -max_len=60000 -timeout=10

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

root:
	@[ "$$(id -u)" = 0 ] || { echo 'make test: needs root, for Postfix; `make check` does not' >&2; exit 1; }

servers: root
	@tests/setup/debian mta
	@tests/setup/debian servers

lock: ## Write the lock files anew; UPGRADE=1 takes the newest versions
	@[ -x build/uv/bin/uv ] || { $(PYTHON) -m venv build/uv && build/uv/bin/pip install --quiet uv; }
	$(COMPILE) --group build -o requirements-build.lock
	$(COMPILE) pyproject.toml -o requirements.lock
	$(COMPILE) pyproject.toml --group build --group dev -c requirements.lock -c requirements-build.lock -o requirements-dev.lock

clean: ## Remove all that was made here, .venv too
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage .coverage.*
	find bouncemilter tests -name __pycache__ -type d -prune -exec rm -rf {} +
