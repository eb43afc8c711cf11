# demo: the whole path on built-in clips. test: what must pass before a commit. test-all: the long tests too.
# bench: every benchmark, small, in ten minutes. bench-full: the bars of speed and memory, on 2 threads and on 1,
# and on a busy machine.
# Each makes .venv once and reuses it.
PYTHON ?= python3
BIN := .venv/bin
# pip shows its progress: what it fetches takes minutes.
PIP_FLAGS := --disable-pip-version-check
# On every core, each with one thread of PyTorch; a core that has nothing left to do takes tests from another.
SUITE = $(BIN)/python -m pytest -n auto --maxprocesses 8 --dist worksteal
SAY_SIZE = echo "Installing vidnas and what it needs into .venv: 1.3 GB on the disk with PyTorch's CPU build, several"; \
	echo "GB with its CUDA build, which pip takes on Linux (docs/troubleshooting.md: how to have the other)."

.PHONY: demo test test-all test-data bench bench-full lint docs wheel clean

demo: .venv/installed
	@echo "Running .venv/bin/vidnas demo"
	@$(BIN)/python -m vidnas demo

test: lint
	$(SUITE) -m "not dataset and not slow"

# The long ones too and, where VIDNAS_TEST_DATA names real clips, those that read them.
test-all: lint
	$(SUITE)

# Needs VIDNAS_TEST_DATA: the folder that holds ucf101_5, weizmann_4, ucf101_splits.
test-data: .venv/installed-dev
	$(BIN)/python -m pytest -m dataset

# Their figures are left in build/bench. Nothing else should run meanwhile.
bench: .venv/installed
	$(BIN)/python benchmarks/search_step.py --pairs 3 --batch-size 1 --json build/bench/quick/search_step.json
	$(BIN)/python benchmarks/train_step.py --pairs 3 --batch-size 1 --json build/bench/quick/train_step.json
	$(BIN)/python benchmarks/inference.py --pairs 3 --json build/bench/quick/inference.json
	$(BIN)/python benchmarks/growth.py --size-px 56 --json build/bench/quick/growth.json
	$(BIN)/python benchmarks/forecast.py --json build/bench/quick/forecast.json
	$(BIN)/python benchmarks/data.py --clips 32 --pairs 2 --json build/bench/quick/data.json

bench-full: .venv/installed
	set -e; for threads in 2 1; do for script in search_step train_step inference; do \
		$(BIN)/python benchmarks/$$script.py --threads $$threads \
			--json build/bench/$$script-threads-$$threads.json; \
	done; done
	$(BIN)/python benchmarks/fixed_costs.py --json build/bench/fixed_costs.json
	$(BIN)/python benchmarks/roofline.py --json build/bench/roofline.json
	$(BIN)/python benchmarks/busy.py --json build/bench/busy.json
	$(BIN)/python benchmarks/growth.py --json build/bench/growth.json

lint: .venv/installed-dev
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml

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
	@$(SAY_SIZE)
	$(BIN)/python -m pip install $(PIP_FLAGS) --editable .
	@touch $@

.venv/installed-dev: pyproject.toml constraints.txt | .venv/bin/python
	@$(SAY_SIZE)
	$(BIN)/python -m pip install $(PIP_FLAGS) --editable '.[dev]' --constraint constraints.txt
	@touch $@ .venv/installed

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache
