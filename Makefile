# On a fresh machine with git, make and Python >= 3.11 every target sets up what it needs.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: help setup demo test lint types imports check eval bench docs lock clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: $(READY)  ## make a ready .venv (with rca in it)

$(READY): requirements-dev.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY)  ## run one investigation end to end in a local Slack and a local AWS
	$(BIN)/rca demo

test: $(READY)  ## run the tests
	$(BIN)/python -m pytest -n 2

lint: $(READY)  ## check the style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)  ## check the types (strict)
	$(BIN)/mypy

imports: $(READY)  ## check the import law
	$(BIN)/lint-imports

check: lint types imports  ## lint, types and imports

eval: $(READY)  ## run the scenario corpus and print its score
	$(BIN)/python -m evals

bench: $(READY)  ## print the overhead, parallelism, ack and model cost benchmarks
	$(BIN)/python -m benchmarks

docs: $(READY)  ## rewrite the generated tables of the docs
	$(BIN)/python -m docs.generate

lock:  ## rewrite the locks (needs uv)
	uv pip compile --universal --generate-hashes --python-version 3.11 pyproject.toml -o requirements.lock
	uv pip compile --universal --generate-hashes --python-version 3.11 --extra sandbox --group dev pyproject.toml -o requirements-dev.lock

clean:  ## remove the environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache build *.egg-info
