# Everything is set up on first use, into this folder and the user's cache; nothing needs root.
#   make baseline   measure LocalRuntime at 100, 500 and 1000 in flight (LEVELS="10 50" overrides)
#   make test-quick the same at 25 and 50, in a few minutes
#   make test       every test that fits in 20 minutes
#   make help       the other targets

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

LEVELS ?=
RESULTS ?= $(or $(PERF_PIPELINE_RESULTS),results)
BASELINE ?=
ARCHIVE ?=
PYTHON ?= python3

# uv must neither download a Python nor take over a virtual environment that happens to be active.
export UV_PYTHON_DOWNLOADS := never
# Nor does what a session says to other Pythons (PYTHONHOME, PYTHONWARNINGS and so on) reach ours.
unexport VIRTUAL_ENV $(filter-out PYTHON,$(filter PYTHON%,$(.VARIABLES)))

BIN := .venv/bin
PY := $(BIN)/python -I
# .venv holds what running needs; what the tests and checks need is added to it by the first of them.
READY := .venv/ready
READY_TEST := .venv/ready-test
READY_HOST := .venv/ready-host
# The user's package index, in uv's or pip's terms, and nothing that leads elsewhere (PIP_USER, UV_PYTHON).
INSTALLING = $(PYTHON) -I perf_pipeline/loadgen/environment/package_index.py
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
LOAD_TEST = $(PY) -m perf_pipeline --results-dir "$(RESULTS)"

##@ Start here
.PHONY: help
help: ## show this list
	@awk '/^##@ /{printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z0-9-]+:.*## /{split($$0, a, ":"); sub(/^.*## /, ""); printf "  %-20s %s\n", a[1], $$0}' Makefile

.PHONY: setup setup-test
setup: $(READY) ## install what running needs into .venv; generate the stack's passwords (infra/.env)
	@$(PY) -m perf_pipeline.servers.stack.env_file
setup-test: $(READY_TEST) ## add what the tests and checks need

.uv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$(PYTHON) is $$($(PYTHON) --version 2>&1 || echo missing): Python 3.11 or newer is needed."; \
	  echo "Debian: apt-get install python3 python3-venv; elsewhere: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) has no venv: apt-get install python3-venv (as root), or install uv"; exit 1; }
	$(INSTALLING) $(PYTHON) -m venv .uv
	$(INSTALLING) .uv/bin/python -m pip install --quiet --disable-pip-version-check uv

# One make at a time installs into .venv; another one waits, and finds it done.
ifndef INSTALLS_ALONE
$(READY): requirements.lock pyproject.toml
$(READY_TEST): requirements-test.lock $(READY)
$(READY_HOST): infra/dagster/deploy.lock $(READY)
$(READY) $(READY_TEST) $(READY_HOST):
	@flock --nonblock --conflict-exit-code 75 .setup.lock $(MAKE) --no-print-directory INSTALLS_ALONE=1 $@ || { \
	  test $$? = 75 || exit 1; echo "another make installs into .venv: waiting for it"; \
	  flock .setup.lock $(MAKE) --no-print-directory INSTALLS_ALONE=1 $@; }
else
# The locks are lists of hashes that name no index, so they work with any mirror that is configured.
$(READY): requirements.lock pyproject.toml $(filter .uv/bin/uv,$(UV))
	rm -rf .venv
	$(INSTALLING) "$(UV)" venv --quiet --python "$$(command -v $(PYTHON))" .venv
	$(INSTALLING) "$(UV)" pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements.lock
	$(INSTALLING) "$(UV)" pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	$(PY) -m compileall -q perf_pipeline assets
	sed -i -e '1s|^#!/.*/python[0-9.]*$$|& -I|' -e "s|^\('''exec' .*\) \(\"\$$0\" .*\)$$|\1 -I \2|" $(BIN)/perf-pipeline
	@touch $@

$(READY_TEST): requirements-test.lock $(READY)
	$(INSTALLING) "$(UV)" pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode --requirements requirements-test.lock
	@touch $@

$(READY_HOST): infra/dagster/deploy.lock $(READY)
	$(INSTALLING) "$(UV)" pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode --requirements infra/dagster/deploy.lock
	@touch $@
endif

# Installed where we may, else unpacked into the cache; without it baseline leaves MySQL out.
.PHONY: mysql
mysql: $(READY) ## get MariaDB (Debian, Ubuntu) if there is no MySQL here yet
	@$(PY) -m perf_pipeline.servers.lifecycle.debian mariadb-server-core

.PHONY: monitoring
monitoring: $(READY) ## get Prometheus, Alertmanager and exporters (Debian, Ubuntu) if they are not here yet
	@$(PY) -m perf_pipeline.servers.monitors.obtain

# MongoDB's protocol on a real engine, for the tests and for whoever has no mongod.
.PHONY: ferretdb
ferretdb: $(READY) ## build FerretDB (MongoDB's protocol over SQLite) into the cache, where Go is installed
	@$(PY) -m perf_pipeline.servers.mongodb.build_ferretdb

.PHONY: baseline
baseline: mysql ## measure the target under normal load, as one Dagster run; LEVELS="10 50"
	@$(BIN)/perf-pipeline run baseline $(if $(LEVELS),--concurrency $(LEVELS)) --results "$(RESULTS)" --accept-verdicts

.PHONY: test-quick test-baseline test-stress test-database test-full test-regression
##@ Load tests (the names users know; test-... of the project itself are make test and test-long)
test-quick: mysql ## levels 25 50, a few minutes
	@$(LOAD_TEST) --scenario baseline --concurrency 25 50 --accept-verdicts
test-baseline: mysql ## levels 100 500 1000, 5 to 10 minutes, then the report; LEVELS="10 50"
	@$(LOAD_TEST) --scenario baseline --concurrency $(or $(LEVELS),100 500 1000) --accept-verdicts
	@$(MAKE) --no-print-directory report
test-stress: mysql ## levels 1000 1500 2000, 10 to 20 minutes; LEVELS="2000 3000"
	@$(LOAD_TEST) --scenario stress --concurrency $(or $(LEVELS),1000 1500 2000) --accept-verdicts
test-database: mysql ## 100, 300 and 500 in flight, 200 on 50 connections, then 100 again; about 5 minutes
	@$(LOAD_TEST) --scenario database --accept-verdicts
test-full: mysql ## baseline, stress up to 1500, database; 30 to 60 minutes
	@$(LOAD_TEST) --scenario full --max-concurrency 1500 --accept-verdicts
test-regression: mysql ## measure again what BASELINE=results/baseline_<timestamp>.json did, and compare
	@test -n "$(BASELINE)" || { echo "make test-regression BASELINE=results/baseline_<timestamp>.json" >&2; exit 2; }
	@$(LOAD_TEST) --scenario regression --baseline "$(BASELINE)"

.PHONY: test-endurance test-endurance-24h
test-endurance: mysql ## 1 hour of constant load: leaks, degradation, stability of errors
	@$(LOAD_TEST) --scenario endurance --duration 1
test-endurance-24h: mysql ## the same for 24 hours
	@$(LOAD_TEST) --scenario endurance --duration 24

.PHONY: ci-validate ci-test dev-setup dev-test example-ci example-development example-release
ci-validate: mysql ## check scenario, servers and target at level 10; runs nothing
	@$(LOAD_TEST) --scenario baseline --concurrency 10 --verify-only
ci-test: mysql ## levels 25 50; fails unless every level is a valid measurement
	@$(LOAD_TEST) --scenario baseline --concurrency 25 50
dev-setup: setup mysql start ## environment and servers, for several runs
dev-test: mysql ## level 10, about a minute
	@$(LOAD_TEST) --scenario baseline --concurrency 10 --accept-verdicts
example-ci: ## ci-validate, then ci-test
	@$(MAKE) --no-print-directory ci-validate
	@$(MAKE) --no-print-directory ci-test
example-development: ## dev-setup, dev-test, report
	@$(MAKE) --no-print-directory dev-setup
	@$(MAKE) --no-print-directory dev-test
	@$(MAKE) --no-print-directory report
example-release: ## test-full, report, export-results
	@$(MAKE) --no-print-directory test-full
	@$(MAKE) --no-print-directory report
	@$(MAKE) --no-print-directory export-results

.PHONY: help-baseline help-stress help-endurance
help-baseline: ## what the baseline test does
	@echo "make test-baseline: normal load, 100, 500 and 1000 workflows in flight; LEVELS=\"10 50\" overrides."
	@echo "Each level: ramp, warm-up, at least 20 s and three turnovers of steady state, at most 150 s."
	@echo "At the lowest level the same workflows run as lean nodes and as plain calls, for comparison."
	@echo "More options: perf-pipeline run baseline --help; what the numbers mean: README.md."
help-stress: ## what the stress test does
	@echo "make test-stress: 1000, 1500 and 2000 workflows in flight, all complex; LEVELS=\"2000 3000\" overrides."
	@echo "It ends early where over half of the workflows fail, or memory or file descriptors run out; the"
	@echo "report says so, and what limited each level. perf-pipeline run stress begins at 500."
help-endurance: ## what the endurance test does
	@echo "make test-endurance, test-endurance-24h: hours of constant load on a runtime that lives through all."
	@echo "What is killed goes on with the next hour; a gap is recorded, and a restart of the runtime is a break."
	@echo "perf-pipeline run endurance --duration 24 --hour-seconds 60 plays a scaled day in 24 minutes."

##@ Look and operate
.PHONY: ui
ui: $(READY) ## the Dagster UI on http://127.0.0.1:3000; PORT=4000 REPORTS_PORT=4001
	@$(if $(filter file,$(origin RESULTS)),,PERF_PIPELINE_RESULTS="$(RESULTS)" )$(if $(REPORTS_PORT),PERF_PIPELINE_REPORTS_PORT="$(REPORTS_PORT)" )$(PY) -m assets.ui$(if $(PORT), --port "$(PORT)")

.PHONY: start images stop status healthcheck doctor
STACK ?=
PROFILES ?=
# Servers of this machine, or with STACK=1 the Compose stack; the other targets work on what runs.
start: $(if $(STACK)$(PROFILES),$(READY),mysql) ## start every available server; STACK=1 or PROFILES="databases monitoring": the Compose stack
	@$(BIN)/perf-pipeline start$(if $(STACK)$(PROFILES), --stack $(addprefix --profile=,$(PROFILES)))
images: $(READY) ## build the stack's images and start nothing; PROFILES="dagster"
	@$(PY) -m perf_pipeline.servers.stack.images $(PROFILES)
stop: $(READY) ## stop them
	@$(BIN)/perf-pipeline stop
status: $(READY) ## where each server would come from, and which runs go on
	@$(BIN)/perf-pipeline status --results "$(RESULTS)"
healthcheck: $(READY) ## does every server answer that should? exits 1 if not, or if none runs
	@$(BIN)/perf-pipeline status --gate --results "$(RESULTS)"
doctor: $(READY) ## what this machine can hold
	@$(BIN)/perf-pipeline doctor

.PHONY: monitor-resources logs dashboard clean
monitor-resources: $(READY) ## follow what the newest run uses, level by level, a JSON line a sample; Ctrl-C ends it
	@$(BIN)/python -m perf_pipeline.compat.monitor_resources "$(RESULTS)"
# Of a run, every process; of SERVICE=postgres, a container of the stack or a server of this machine.
SERVICE ?=
logs: $(READY) ## what every process of a run logged; RUN=latest ARGS="--level warning --follow"; or SERVICE=postgres
	@$(if $(SERVICE),$(PY) -m perf_pipeline.cli.files.server_log "$(SERVICE)",$(BIN)/perf-pipeline logs $(RUN) $(ARGS) --results "$(RESULTS)")
dashboard: $(READY) ## runs, verdicts, trends and reports on http://127.0.0.1:8081; PORT=8082
	@$(BIN)/perf-pipeline dashboard --results "$(RESULTS)"$(if $(PORT), --port "$(PORT)")
clean: $(READY) ## stop the servers, remove the stack's data and caches of tools; results stay
	@$(BIN)/perf-pipeline stop --volumes
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

.PHONY: host-setup load-host
HOST ?=
host-setup: $(READY_HOST) ## add what a load on several hosts needs
load-host: $(READY_HOST) ## play the shards of `perf-pipeline run --hosts` sent to HOST=gen-b; Ctrl-C ends it
	@test -n "$(HOST)" || { echo "make load-host HOST=gen-b" >&2; exit 2; }
	@$(BIN)/perf-pipeline host "$(HOST)"

.PHONY: report export-results import-results
report: $(READY) ## write the latest run's report anew, and the latest five in one file
	@$(BIN)/perf-pipeline report --results "$(RESULTS)"
	@$(PY) -m perf_pipeline.compat.comprehensive_report "$(RESULTS)"
export-results: $(READY) ## pack results/, logs of the runs included, as ARCHIVE or performance_results_<timestamp>.tar.gz
	@$(PY) -m perf_pipeline.archive export "$(RESULTS)" $(if $(ARCHIVE),"$(ARCHIVE)")
import-results: $(READY) ## unpack ARCHIVE=FILE; nothing that is there is written over
	@$(PY) -m perf_pipeline.archive import "$(ARCHIVE)" "$(RESULTS)"

.PHONY: clear
clear: $(READY) ## clear away what killed runs left behind, and mark them
	@$(PY) -m assets.job_command clearing

##@ Work on perf_pipeline itself
.PHONY: check test test-long test-docker
check: $(READY_TEST) ## style, types and layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
test: $(READY_TEST) mysql monitoring ferretdb ## make check and every test that fits in 20 minutes
	@$(BIN)/python -m tests.suite
TEST_DOCKER = $(BIN)/python -m pytest -q -rs --durations=10 tests/docker tests/unit/servers/stack/test_compose_file.py
test-docker: $(READY_TEST) monitoring ## the stack for real, in containers (root on Debian, or DOCKER_HOST; else skipped)
	@$(TEST_DOCKER) || { echo "make test-docker: what failed is run once more" >&2; \
	  $(TEST_DOCKER) --last-failed --last-failed-no-failures none; }
test-long: $(READY_TEST) mysql monitoring ferretdb ## the full matrices and every selftest at full size as well; over an hour
	@$(BIN)/python -m tests.suite --long

.PHONY: benchmark benchmark-waiting
benchmark: $(READY) ## our engine against a bare loop, and 10,000 in flight (about 2 minutes)
	$(BIN)/perf-pipeline selftest inflight --size full
benchmark-waiting: $(READY) ## Enter to first workflow, last record to report, help (about 3 minutes)
	$(BIN)/perf-pipeline selftest waiting --size full

.PHONY: boards
boards: $(READY) ## write Grafana's boards into infra/grafana/dashboards
	@$(PY) -m perf_pipeline.monitoring.boards.write_boards infra/grafana/dashboards

.PHONY: picture
picture: ## take the README's picture from the latest report (needs chromium)
	chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking \
	  --disable-component-update --disable-sync --user-data-dir="$$(mktemp -d)" --window-size=1280,1000 \
	  --screenshot="$(CURDIR)/.readme/report.png" "file://$$(ls -d "$(abspath $(RESULTS))"/*/report.html | tail -1)"

.PHONY: lock
LOCKED = "$(UV)" pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11
lock: $(filter .uv/bin/uv,$(UV)) ## resolve the locked packages again, the test packages with those of running
	$(LOCKED) --group build pyproject.toml --output-file requirements.lock
	$(LOCKED) --group test --group check --constraint requirements.lock --output-file requirements-test.lock
	$(LOCKED) perf_pipeline/targets/kailash/requirements.in --output-file perf_pipeline/targets/kailash/requirements.lock
	$(LOCKED) --group deploy --constraint requirements.lock --output-file infra/dagster/deploy.lock
	echo uv | $(LOCKED) --no-annotate - --output-file infra/dagster/installer.lock
