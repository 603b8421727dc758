# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo test check prove soak bench pictures fix lock clean

help: ## Show what each command does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.run ## Three nights on this machine, with nothing installed but Python; with WEB=1 the page after them
	@$(BIN)/qonto-xero demo $(if $(WEB),--web)

test: check ## Every check and every test, with a real RabbitMQ and PostgreSQL
	@$(BIN)/python -m pytest -n 2 --dist loadfile

prove: $(VENV)/.dev ## Every fault with real processes, 20,000 simulated seeds, every mutation, a game night: many minutes
	@$(BIN)/python -m tests.prove

soak: $(VENV)/.dev ## Ten minutes of chaos over 300 organisations
	@$(BIN)/python -m tests.soak

bench: $(VENV)/.dev ## Measure speed, memory and whole nights; writes docs/performance.md
	@$(BIN)/python -m benchmarks

pictures: $(VENV)/.dev ## Take the pictures of the pages anew, into docs/screenshots
	@rm -rf docs/screenshots
	@$(BIN)/python -m pytest -q tests/acceptance/test_page_in_a_browser.py tests/acceptance/test_operations_page.py \
		-k "customer or picture" --pictures docs/screenshots

check: $(VENV)/.dev ## Lint, types, import contracts, the contract of events
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m tests.contract.events

fix: $(VENV)/.dev ## Format, and mend what the linter can mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock: $(VENV)/.dev ## Pin every dependency again, by version and hash
	@export CUSTOM_COMPILE_COMMAND="make lock"; for name in run dev; do $(BIN)/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe --strip-extras \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
		--output-file requirements/$$name.txt requirements/$$name.in; done

clean: ## Remove everything that can be made again
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.run: requirements/run.txt pyproject.toml
	@echo "Making the environment in $(VENV) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt
	@echo "Adding what tests and checks need ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@
