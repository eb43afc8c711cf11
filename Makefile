# demo: the whole path on built-in clips. test: what must pass before a commit. test-all: the long tests too.
# Each makes .venv once and reuses it.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-all test-data lint docs wheel clean

demo: .venv/installed
	@$(BIN)/python -m vidnas demo

test: lint
	$(BIN)/python -m pytest -m "not dataset and not slow"

# The long ones too and, where VIDNAS_TEST_DATA names real clips, those that read them.
test-all: test
	$(BIN)/python -m pytest -m "dataset or slow"

# Needs VIDNAS_TEST_DATA: the folder that holds ucf101_5, weizmann_4, ucf101_splits.
test-data: .venv/installed-dev
	$(BIN)/python -m pytest -m dataset

lint: .venv/installed-dev
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/lint-imports --no-logo

# The API reference, from the docstrings, as pages in build/docs.
docs: .venv/installed-dev
	$(BIN)/python docs/reference.py build/docs

wheel: .venv/installed-dev
	$(BIN)/python -m build --wheel --outdir dist .

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "vidnas needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

.venv/installed: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

.venv/installed-dev: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]' --constraint constraints.txt
	@touch $@ .venv/installed

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache
