# Everything a person or CI does with a checkout. `make help` lists it.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
# The first Python that is new enough; name another with PYTHON=...
PYTHON ?= $(shell for each in python3.11 python3.12 python3.13 python3; do \
	$$each -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each && break; done)
INSTALL = $(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt \
	$(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))
# One line a package, on standard error: standard output belongs to the chat.
SHOWN = < /dev/null | sed -un 's/^Collecting \([^ ]*\).*/  \1/p; s/^Downloading \(.*MB)\).*/    \1/p' >&2

.PHONY: help install chat run test check bench

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo 'TORCH_INDEX=https://download.pytorch.org/whl/cpu makes the first one install torch without CUDA.'

install: $(VENV)/.installed ## makes .venv, with the command recall in .venv/bin

chat: $(VENV)/.installed ## talk in this terminal, or: make chat ARGS="--user bob" < lines.txt
	@$(BIN)/recall chat $(ARGS)

run: $(VENV)/.installed ## serve the configured chat platforms
	@$(BIN)/recall run $(ARGS)

test: check ## all checks and all tests
	@$(BIN)/pytest -n auto --maxprocesses 4 --dist worksteal $(ARGS)

check: $(VENV)/.installed-dev ## ruff, mypy, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

bench: $(VENV)/.installed-dev ## what memory costs a turn, beside the floor and the usual way
	@$(BIN)/python -m tests.benchmarks.turn $(ARGS)

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo 'Recall needs Python 3.11 or newer; name one with PYTHON=...' >&2; exit 1; }
	@echo 'Making .venv ...' >&2
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo 'Installing Recall into .venv; the first time takes a few minutes ...' >&2
	@$(INSTALL) -e . $(SHOWN)
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo 'Installing Recall and its tests into .venv; the first time takes a few minutes ...' >&2
	@$(INSTALL) -e '.[dev]' $(SHOWN)
	@touch $(VENV)/.installed $@
