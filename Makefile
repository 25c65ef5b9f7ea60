# FMgo's commands. Each makes .venv first if it is missing or old; Python 3.11-3.13 with venv is all they need.

VENV := .venv
BIN := $(VENV)/bin
PACKAGES := workers domain tasks deploy migrations monitoring
# The floor holds where the reference folder is: without it, the tests that need it are skipped.
SHARED ?= $(if $(FMGO_SHARED),$(FMGO_SHARED),../shared)
COVERAGE_FLOOR := $(if $(wildcard $(SHARED)/reference),90,0)

.DEFAULT_GOAL := help
.PHONY: env demo test check faults format bench mutants up wheel lock help

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

env: ## the Python environment in .venv: made, renewed or repaired, else nothing
	@./deploy/environment.sh

demo: env ## the main job, end to end: from a shop's messages to documents accepted by the simulated SII
	@$(BIN)/python -m deploy.sandbox.demo

up: env ## a sandbox that stays, with Flower, until ctrl-C
	@$(BIN)/fmgo sandbox

test: env ## the test suite (the fault catalogue apart: make faults)
	@$(BIN)/python -m pytest

check: env ## format, lint, types, imports, and the tests with their coverage
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	@rm -rf .coverage && mkdir .coverage
	$(BIN)/coverage run -m pytest
	@$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --fail-under=$(COVERAGE_FLOOR)

faults: env ## the fault catalogue against a running FMgo, under both profiles of the simulated SII, and every outage: some ten minutes
	@$(BIN)/python -m pytest tests/faults

wheel: env ## the built wheel, alone in an empty environment, does FMgo's work: half a minute
	@$(BIN)/python -m tests.wheel

format: env ## put the code into its form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: env ## documents per second, CPU and memory, beside the floor of this machine; QUICK=1: less of it
	@$(BIN)/python -m tests.benchmarks $(if $(QUICK),--quick)

mutants: env ## mutation testing of the arithmetic, rules, stamp and signature: about ten minutes
	@FMGO_SHARED=$(abspath $(SHARED)) ./tests/mutants.sh

lock: ## requirements.lock from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --extra embedded --group dev --universal --python-version 3.11 --only-binary :all: \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet --output-file requirements.lock
