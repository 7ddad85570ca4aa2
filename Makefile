# The commands a newcomer needs; each sets up what it needs. `make help` lists them.
PYTHON ?= $(firstword $(foreach p,python3.13 python3.12 python3.11 python3,$(if $(shell command -v $(p) 2>/dev/null && $(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo ok),$(p),)))
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
COMPILE := $(BIN)/uv pip compile --quiet --no-config --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11

.PHONY: help run test check format bench install lock docs fuzz soak clean
help: ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: install ## set everything up and serve the demo on http://127.0.0.1:8002
	$(BIN)/deskbridge demo

test: $(VENV)/.dev ## set everything up and pass the tests
	$(BIN)/python -m tools.test

check: $(VENV)/.dev ## format, lint, types, import contracts, generated docs up to date
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m tools.docs --check
	$(BIN)/python -m tools.conformance --check

format: $(VENV)/.dev ## put the code into the project's format
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

docs: $(VENV)/.dev ## write the generated reference pages
	$(BIN)/python -m tools.docs
	$(BIN)/python -m tools.conformance

fuzz: $(VENV)/.dev ## a hundred odd requests of each kind to each route, by each role
	FUZZ_EXAMPLES=100 $(BIN)/python -m tools.test tests/fuzz

bench: $(VENV)/.dev ## measure, and write bench/RESULTS.md
	$(BIN)/python -m bench

soak: $(VENV)/.dev ## play many thousand simulations of sync: SOAK_PLAYS=10000 SOAK_FROM=1
	SOAK_PLAYS=$${SOAK_PLAYS:-5000} $(BIN)/python -m pytest tests/sync/simulation

lock: $(VENV)/.dev ## resolve the dependencies anew into the lock files
	$(COMPILE) --upgrade pyproject.toml -o requirements.lock
	$(COMPILE) --upgrade --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock

install: $(VENV)/.run ## build .venv with everything needed to run

$(VENV)/pyvenv.cfg:
	@test -n "$(PYTHON)" || { echo "Deskbridge needs Python 3.11 or newer (set PYTHON=... to name one)."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.lock pyproject.toml | $(VENV)/pyvenv.cfg
	$(PIP_INSTALL) -r requirements.lock
	$(BIN)/python -m tools.link
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(VENV)/pyvenv.cfg
	$(PIP_INSTALL) -r requirements-dev.lock
	$(BIN)/python -m tools.link
	@touch $@ $(VENV)/.run

clean: ## remove what the other commands made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
