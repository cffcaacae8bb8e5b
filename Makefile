# make demo | test | check | bench: each does all of its own set-up.
SHELL := /bin/bash
PYTHON ?= python3
PIP := .venv/bin/pip install --quiet --disable-pip-version-check

.PHONY: demo test check bench format

demo: .venv/ready
	.venv/bin/xiaohu demo

test: .venv/ready-dev .venv/system
	.venv/bin/pytest --numprocesses auto --dist worksteal $(TESTS)

check: .venv/ready-dev
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports

bench: .venv/ready-dev .venv/system
	.venv/bin/python -m benchmarks

format: .venv/ready-dev
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("xiaohu needs Python 3.11 or newer, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv

.venv/ready: requirements.lock pyproject.toml | .venv/bin/python
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-deps --editable .
	touch $@

.venv/ready-dev: requirements-dev.lock .venv/ready
	$(PIP) --require-hashes -r requirements-dev.lock
	touch $@

# PostgreSQL, Chromium and a Chinese font, for the tests.
.venv/system: .ci/system | .venv/bin/python
	bash .ci/system
	touch $@
