# Everything is set up on first use, into this folder and the user's cache; nothing needs root.
#   make baseline   measure LocalRuntime at 100, 500 and 1000 in flight (LEVELS="10 50" overrides)
#   make test       every test that fits in 20 minutes
#   make help       the other targets

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

LEVELS ?=
RESULTS ?= results
PYTHON ?= python3

# uv must neither download a Python nor take over a virtual environment that happens to be active.
export UV_PYTHON_DOWNLOADS := never
unexport VIRTUAL_ENV
unexport PYTHONPATH
unexport PYTHONHOME

BIN := .venv/bin
READY := .venv/ready
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
PYTEST := $(BIN)/python -m pytest

.PHONY: help
help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

.PHONY: setup
setup: $(READY) ## make the environment of the harness

.uv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$(PYTHON) is $$($(PYTHON) --version 2>&1 || echo missing): Python 3.11 or newer is needed."; \
	  echo "Debian: apt-get install python3 python3-venv; elsewhere: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) has no venv: apt-get install python3-venv (as root), or install uv"; exit 1; }
	$(PYTHON) -m venv .uv
	.uv/bin/python -m pip install --quiet --disable-pip-version-check uv

# The lock is a list of hashes that names no index, so it works with any mirror that is configured.
$(READY): requirements.lock pyproject.toml $(filter .uv/bin/uv,$(UV))
	rm -rf .venv
	"$(UV)" venv --quiet --python "$$(command -v $(PYTHON))" .venv
	"$(UV)" pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements.lock
	"$(UV)" pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q perf_pipeline assets
	@touch $@

# Installed where we may, else unpacked into the cache; without it baseline leaves MySQL out.
.PHONY: mysql
mysql: $(READY) ## get MariaDB (Debian, Ubuntu) if there is no MySQL here yet
	@$(BIN)/python -m perf_pipeline.infrastructure.debian mariadb-server-core

.PHONY: baseline
baseline: mysql ## measure the target under normal load, as one Dagster run; LEVELS="10 50"
	@$(BIN)/perf-pipeline run baseline $(if $(LEVELS),--concurrency $(LEVELS)) --results "$(RESULTS)" --accept-verdicts

.PHONY: ui
ui: $(READY) ## the Dagster UI on http://127.0.0.1:3000
	$(BIN)/dagster dev --host 127.0.0.1 --port 3000

.PHONY: start stop status healthcheck doctor
start: mysql ## start every server that can be had, for several runs
	@$(BIN)/perf-pipeline start
stop: $(READY) ## stop them
	@$(BIN)/perf-pipeline stop
status: $(READY) ## where each server would come from, and which runs go on
	@$(BIN)/perf-pipeline status --results "$(RESULTS)"
healthcheck: $(READY) ## does every server answer that should? exits 1 if not, or if none runs
	@$(BIN)/perf-pipeline status --gate --results "$(RESULTS)"
doctor: $(READY) ## what this machine can hold
	@$(BIN)/perf-pipeline doctor

.PHONY: report
report: $(READY) ## write the latest run's report anew
	@$(BIN)/perf-pipeline report --results "$(RESULTS)"

.PHONY: clear
clear: $(READY) ## clear away what killed runs left behind, and mark them
	@$(BIN)/dagster job execute -m assets.definitions -j clearing

.PHONY: check
check: $(READY) ## layers, style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: test
test: check mysql ## every test that fits in 20 minutes
	$(PYTEST) -m "not slow"

.PHONY: test-long
test-long: check mysql ## the full matrices as well
	$(PYTEST)

.PHONY: benchmark
benchmark: $(READY) ## our engine against a bare loop (about 15 minutes)
	$(BIN)/python -m tests.benchmarks.bare_loop

.PHONY: picture
picture: ## take the README's picture from the latest report (needs chromium)
	chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking \
	  --disable-component-update --disable-sync --user-data-dir="$$(mktemp -d)" --window-size=1280,1000 \
	  --screenshot="$(CURDIR)/.readme/report.png" "file://$$(ls -d "$(abspath $(RESULTS))"/*/report.html | tail -1)"

.PHONY: lock
lock: $(READY) ## resolve the locked packages anew
	"$(UV)" pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 --group dev pyproject.toml --output-file requirements.lock
	"$(UV)" pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 perf_pipeline/targets/kailash/requirements.in --output-file perf_pipeline/targets/kailash/requirements.lock
