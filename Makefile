# Everything a person or CI does here. `make run` and `make test` set up what they need.
.PHONY: help run test quick check format bench demo soak venv clean
.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin
HOME_DIR := $(or $(GOEX_HOME),.goex)
T ?= tests

help: ## what there is
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | while IFS='|' read -r a b; do printf '%-14s %s\n' "$$a" "$$b"; done

venv:
	@sh scripts/venv

run: venv ## the gateway, with its home under .goex (or GOEX_HOME)
	@sh scripts/run "$(HOME_DIR)"

demo: venv ## a change, the log, the undo: no account needed
	@$(BIN)/goex-proxy demo

test: venv ## every test but the long ones (T=tests/wire for some)
	@$(BIN)/pytest -q -m "not soak" $(T)

quick: venv ## the inner loop: core, files, wire, in seconds
	@$(BIN)/pytest -q tests/core tests/files tests/wire

check: venv ## style, types, layers, house rules, generated docs
	@sh scripts/check

format: venv ## put the code into shape
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

bench: venv ## what the gateway costs
	@$(BIN)/python -m bench.run

soak: venv ## the long tests, 200 rounds
	@GOEX_SOAK_ROUNDS=$(or $(ROUNDS),200) $(BIN)/pytest -q -m soak --timeout 3600 $(T)

clean: ## forget .venv and every cache (not .goex: that is yours)
	@rm -rf .venv .mypy_cache .ruff_cache .import_linter_cache .hypothesis .pytest_cache
