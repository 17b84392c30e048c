# The two commands are `make demo` and `make test`. Both set up what they need in .venv and say what they do.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3.14 python3; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
# More than cores: tests wait for processes, pages and reports for half of their time.
WORKERS ?= 3

.PHONY: help demo test test-moved check format setup setup-demo ahead wheel clean bench-core

help:
	@echo "make demo         set up, then run the whole line on this computer; prints the address of its page"
	@echo "make test         set up, then run every test (installs Mosquitto and Chromium where it may)"
	@echo "make test-moved   a part of the tests with the clock of every process moved: AT=\"2028-02-29 23:59:50\", ARGS=tests/api"
	@echo "make check        ruff, mypy, import layers"
	@echo "make format       let ruff format the code"
	@echo "make wheel        what users install, with the counting core compiled for x86-64 and 64-bit ARM, and the demo; in dist/"
	@echo "make bench-core   what counting costs beside the usual ways; writes docs/bench/core.md"
	@echo "make clean        remove the environment and caches (the demo's data: telstraat demo --clean)"

demo: setup-demo
	@exec $(BIN)/telstraat demo $(ARGS)

test: setup
	@scripts/system-packages
	@$(BIN)/python -m telstraat_device.native.precompile --all || echo "Tests of what is missing are skipped by name."
	@TELSTRAAT_KERNELS=jit $(BIN)/python -m telstraat_demo.run.compile_kernels street
	@exec $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

# Every file of tests begins at AT: a time (UTC), +7d, or a name that ARGS=--list prints; without AT the commit chooses.
test-moved: setup
	@exec $(BIN)/python -m tests.harness.moved_run $(if $(AT),--at "$(AT)") $(ARGS)

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

setup-demo: $(VENV)/.demo-ready
setup: $(VENV)/.dev-ready

$(VENV)/.demo-ready: pyproject.toml demo/pyproject.toml constraints.txt
	@PYTHON='$(PYTHON)' scripts/setup $(VENV) demo
	@touch $@

$(VENV)/.dev-ready: pyproject.toml demo/pyproject.toml constraints.txt
	@PYTHON='$(PYTHON)' scripts/setup $(VENV) dev
	@touch $@ $(VENV)/.demo-ready

ahead: setup
	@$(BIN)/python -m telstraat_device.native.precompile --all

wheel: ahead
	@$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist . ./demo

bench-core: setup
	$(BIN)/python -m bench.core $(ARGS)

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
