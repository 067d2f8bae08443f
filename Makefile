# `make` lists what there is. Paths are relative throughout: the checkout may lie in any folder.

PYTHON := .venv/bin/python
PYTEST := $(PYTHON) -m pytest -n auto --maxprocesses 4 --dist loadfile
.DEFAULT_GOAL := help
.PHONY: help setup demo chat test chaos bench check schema format clean FORCE

# The environment is made again when what it is made from has changed, when its Python is gone, and
# when the checkout was moved, for it knows its own path.
READY := .venv/.ready
STALE := $(shell $(PYTHON) -c "" 2>/dev/null && [ "$$(cat $(READY) 2>/dev/null)" = "$$(pwd -P)" ] || echo FORCE)

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

setup: $(READY) ## Make the virtual environment in .venv (the others do this by themselves)

demo: setup ## Run the bot with a simulated WhatsApp: open the address it prints
	@exec $(PYTHON) -m bot demo $(ARGS)

chat: setup ## Chat with a running demo in the terminal
	@exec $(PYTHON) -m bot chat $(ARGS)

test: setup ## Run every test (ARGS="-k name" for some)
	@exec $(PYTEST) tests/unit tests/flows tests/integration tests/replay tests/browser tests/chaos -m "not long" $(ARGS)

chaos: setup ## Run the tests that kill things
	@exec $(PYTHON) -m pytest tests/chaos $(ARGS)

bench: setup ## Measure turns a second and latency, as JSON
	@exec $(PYTHON) -m tests.bench $(ARGS)

check: setup ## Lint, check types, layers, migrations and the schema file
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(PYTHON) -c "from importlinter.cli import lint_imports_command as lint; lint()"
	$(PYTHON) -m tests.support.lint_migrations
	$(PYTHON) -m storage.schema --check

schema: setup ## Write sql/schema.sql anew after a migration
	$(PYTHON) -m storage.schema

format: setup ## Format the code and mend what ruff can
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

clean: ## Remove the environment and the caches, not the data in .usual
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.lock pyproject.toml $(STALE)
	@sh .ci/setup

FORCE:
