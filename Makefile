# One command for each thing one wants to do here; `make` alone lists them.
# Everything lands in .venv; delete it (`make clean`) and nothing is left.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help rehearse serve bench check test long screenshots lock clean

# Passed on to the program: make rehearse ARGS=--exit
ARGS ?=

# Whole files to each core, so that what a file sets up is set up once. Files with many
# tests come first, so that what measures time comes last, when there is little else.
CORES := -n auto --maxprocesses 4 --dist loadfile

BIN := .venv/bin
RUN := .venv/installed-run
DEV := .venv/installed-dev
# What tests take from npm: the HTML checker, and a sign-in provider.
NPM := tests/browser/node_modules/.package-lock.json \
  tests/integrations/oidc/node_modules/.package-lock.json

help: ## list these commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

rehearse: $(RUN) ## play an evening on a simulated room, then leave the pages up
	@$(BIN)/chaperone rehearse $(ARGS)

serve: $(RUN) ## the real service; settings come from CHAPERONE_* (docs/settings.md)
	@$(BIN)/chaperone serve $(ARGS)

bench: $(RUN) ## measure speed and memory
	@$(BIN)/chaperone bench $(ARGS)

check: $(DEV) ## format, lint, types, import floors, docs: the quick half of `make test`
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -q tests/test_house.py tests/test_documents.py

test: check $(if $(or $(CI),$(shell command -v npm)),$(NPM)) ## everything CI runs
	$(BIN)/pytest $(CORES) $(ARGS)

screenshots: $(DEV) ## pictures of the pages, for the documents (needs Chromium)
	@$(BIN)/python -m tests.browser.screenshots $(or $(ARGS),docs/screenshots)

long: $(DEV) ## the tests that take minutes
	$(BIN)/pytest -m long $(ARGS)

lock: ## choose library versions anew and write requirements/*.txt
	@bash requirements/lock

clean: ## forget the environment and what the tools left behind
	rm -rf .venv $(NPM:/.package-lock.json=) .mypy_cache .ruff_cache .pytest_cache \
	  .hypothesis .import_linter_cache .coverage *.egg-info
	find app integrations tests -name __pycache__ -prune -exec rm -rf {} +

$(RUN): requirements/run.txt pyproject.toml requirements/install
	@bash requirements/install run
	@touch $@

$(DEV): requirements/dev.txt pyproject.toml requirements/install
	@bash requirements/install dev
	@touch $(RUN) $@

%/node_modules/.package-lock.json: %/package-lock.json
	npm --prefix $* ci --ignore-scripts --no-audit --no-fund
