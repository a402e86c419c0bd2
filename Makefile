# `make` lists the targets. Everything is installed into .venv; nothing outside it is touched
# but the system's Chromium, which the browser tests need and `make test` installs where apt can.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
UV     := $(shell command -v uv 2>/dev/null)
NPM    := $(shell command -v npm 2>/dev/null)
RUN    := PYTHONWARNINGS=default $(BIN)/python -m
SPREAD := -n auto --maxprocesses 8

ifdef UV
  INSTALL = uv pip install -q --python $(BIN)/python
  CREATE  = uv venv -q --python $(PYTHON) $(VENV)
else
  INSTALL = $(BIN)/python -m pip install -q --disable-pip-version-check
  CREATE  = $(PYTHON) -m venv $(VENV)
endif

.DEFAULT_GOAL := help
.PHONY: help demo lab test check fmt unit local widgets browser browser-all notebooks faults bench chromium clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/demo ## run the quickstart notebook with the embedded model, live
	@$(BIN)/agentlab demo

lab: $(VENV)/demo ## open JupyterLab on the notebooks
	$(BIN)/jupyter lab --notebook-dir=notebooks

test: check unit local widgets browser notebooks ## run every check and every test

check: $(VENV)/dev ## lint, formatting, types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

fmt: $(VENV)/dev ## format, and fix what can be fixed
	$(BIN)/ruff check --fix --exit-zero
	$(BIN)/ruff format

unit: $(VENV)/dev ## unit, property and doc tests
	$(RUN) pytest

local: $(VENV)/dev ## tests that load the embedded model
	$(RUN) pytest -m local

ifdef NPM
widgets: widgets/node_modules/.package-lock.json ## check, test and rebuild the front end
	cd widgets && npm run --silent check && npm test --silent
else
widgets: ## check, test and rebuild the front end
	@echo "no npm: the front end is NOT checked (install node 20 or newer)"; [ -z "$$CI" ]
endif

browser: $(VENV)/dev chromium ## the quick ones of the tests in a real JupyterLab
	$(RUN) pytest $(SPREAD) --dist worksteal -m "browser and not slow and not alone"
	$(RUN) pytest -m "browser and not slow and alone"

browser-all: $(VENV)/dev chromium ## all tests in a real JupyterLab with a real Chromium
	$(RUN) pytest $(SPREAD) --dist worksteal -m "browser and not alone"
	$(RUN) pytest -m "browser and alone"

notebooks: $(VENV)/dev ## run the notebooks from their recordings
	AGENTLAB_RECORDING=replay $(RUN) pytest $(SPREAD) --dist loadfile --nbval-lax -p no:doctest -o addopts=-q -o filterwarnings=default notebooks

faults: $(VENV)/dev ## the campaigns in full: writers killed 200 times, every call of the disk failing, handlers that misbehave in each kind of system
	AGENTLAB_FAULTS=200 $(RUN) pytest tests/store tests/tools/test_isolated.py

bench: $(VENV)/dev ## measure what benchmarks/ measures, but for the install
	@for each in $(filter-out benchmarks/install.py,$(wildcard benchmarks/*.py)); do echo "== $$each"; $(BIN)/python $$each || exit 1; done

chromium:
	@command -v chromium >/dev/null || [ -n "$$CHROMIUM" ] || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	  && apt-get -qq update && apt-get -qq install -y chromium fonts-dejavu-core >/dev/null; } \
	  || echo "no Chromium: install it (apt-get install chromium) or name it in CHROMIUM; browser tests will skip"

clean: ## remove what was built
	rm -rf $(VENV) widgets/node_modules build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

widgets/node_modules/.package-lock.json: widgets/package-lock.json
	cd widgets && npm ci --silent --ignore-scripts
	@touch $@

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "agentlab needs Python 3.11 or newer: make PYTHON=python3.12 …")'
	$(CREATE)

$(VENV)/demo: pyproject.toml | $(VENV)/bin/python
	@echo "installing agentlab with its model and JupyterLab: a few minutes the first time"
	$(INSTALL) -e '.[lab,local]'
	@touch $@

$(VENV)/dev: pyproject.toml | $(VENV)/bin/python
	$(INSTALL) -e '.[dev]'
	@touch $@ $(VENV)/demo
