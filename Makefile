# Two commands: `make run` serves the dashboard, `make test` runs every test. Both install what they lack.
# `make check` runs what is quick, for who is at work: style, types, and the tests that are not marked slow.

PYTHON ?= python3
RUN ?=
VENV := .venv
BIN := $(VENV)/bin
NPM := node_modules/.installed

DEMO := build/demo
SHORTCUT := build/shortcut
CLI = $(BIN)/python -m shamsul_core

# Browsers mostly wait, so that two fit beside each other; a cluster wants every core
BROWSER := tests/browser
CLUSTER := tests/engine/test_cluster.py
# One thread each, since there are as many processes as cores; a file's tests share what they make
UNITS = OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(addprefix --ignore=,$(BROWSER) $(CLUSTER)) --numprocesses auto --maxprocesses 4 --dist loadfile

.PHONY: run test check lint audit lock demo shortcut clean

run: $(VENV)/.installed-view
	@echo "== Serving the dashboard; the address is below, Ctrl-C stops it"
	@$(BIN)/python .make/serve.py $(MAKE) $(if $(RUN),"$(RUN)")

test: $(VENV)/.installed-dev lint
	@$(BIN)/python tests/browser/find_browser.py || { \
	  echo "== Installing a browser for the browser tests"; \
	  if command -v apt-get >/dev/null; then \
	    SUDO=$$( [ "$$(id -u)" = 0 ] || echo sudo ); $$SUDO apt-get update -q && $$SUDO apt-get install -y -q chromium; \
	  else $(BIN)/python -m playwright install chromium; fi; }
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || { command -v apt-get >/dev/null && { \
	  SUDO=$$( [ "$$(id -u)" = 0 ] || echo sudo ); $$SUDO apt-get install -y -q postgresql; } ; } || \
	  echo "== No PostgreSQL: readers' answers are tested in SQLite only"
	@echo "== Running the tests without a browser, as many at once as there are cores; then, whatever came of these,"
	@echo "== those in a browser, two at once, and those of a cluster"
	@$(UNITS); units=$$?; \
	  $(BIN)/python -m pytest $(BROWSER) --numprocesses 2 --dist loadfile; browser=$$?; \
	  $(BIN)/python -m pytest $(CLUSTER) && exit $$((units + browser))

check: $(VENV)/.installed-dev lint
	$(UNITS) -m "not slow"

$(NPM): package-lock.json
	@echo "== Installing eslint for the browser's scripts, and axe-core, which looks for what keeps readers out"
	@{ command -v npm >/dev/null && npm ci --engine-strict --no-audit --no-fund --silent && touch $@; } || \
	  echo "== They could not be installed with npm: neither scripts nor pages are tested with them (in CI that is a failure)"

lint: $(VENV)/.installed-dev $(NPM)
	@echo "== Checking style and types"
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive shamsul_core dashboard pages app.py main.py
	@if test -e $(NPM); then echo "node_modules/.bin/eslint ." && node_modules/.bin/eslint .; else test -z "$$CI"; fi

audit: $(VENV)/.installed-dev
	@echo "== Asking for known vulnerabilities in all that is installed"
	@$(BIN)/python .ci/audit.py requirements.lock requirements-dev.lock

# Versions and hashes of everything, for every system: after a change of requirements*.txt or pyproject.toml. What stands
# there stays as it is.
LOCKED = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url
lock: $(VENV)/.installed-dev
	$(LOCKED) requirements.txt --output-file requirements.lock
	$(LOCKED) --constraint requirements.lock pyproject.toml --output-file requirements-view.lock
	$(LOCKED) --constraint requirements.lock requirements-dev.txt --output-file requirements-dev.lock

# Compiling all of it takes longer than unpacking it, and most is never imported
QUIET ?= --quiet
INSTALL = $(BIN)/python .make/pip.py install $(QUIET) --disable-pip-version-check --no-compile --require-hashes

$(VENV)/.installed-view: requirements-view.lock
	@echo "== Installing what viewing a run needs into $(VENV) (about 1 GB)"
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "SHAMSUL needs Python 3.11 or newer; give another one with PYTHON=")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) -r requirements-view.lock
	@touch $@

$(VENV)/.installed: requirements.lock | $(VENV)/.installed-view
	@echo "== Installing what explains radiographs into $(VENV) (about 5 GB more, mostly torch, some minutes)"
	$(INSTALL) -r requirements.lock
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	@echo "== Installing what the tests need into $(VENV)"
	$(INSTALL) -r requirements-dev.lock
	@touch $@

# The demonstration in assets/demo, from nothing: about two hours on two cores. Stopped, it goes on.
demo: $(VENV)/.installed-dev
	$(CLI) simulate --out $(DEMO)/cohort --split train --count 3600 --seed 11 --size 320 --at-least 500
	$(CLI) simulate --out $(DEMO)/cohort --split val --count 300 --seed 12 --size 320 --at-least 30
	$(CLI) train --cohort $(DEMO)/cohort --out $(DEMO)/small.safetensors --init random --size 112 --epochs 8 \
	  --batch-size 32 --learning-rate 1e-3 --uncertain ignore --augment
	$(CLI) train --cohort $(DEMO)/cohort --out assets/demo/model.safetensors --init $(DEMO)/small.safetensors \
	  --epochs 4 --batch-size 32 --learning-rate 3e-4 --uncertain ignore --augment --dtype float16 \
	  --trained-on "3,600 radiographs simulated from one chest CT (LIDC-IDRI-0001)"
	$(CLI) simulate --out assets/demo/cohort --split val --count 100 --seed 2026 --size 768 --at-least 12
	$(CLI) explain --cohort assets/demo/cohort --model assets/demo/model.safetensors --run assets/demo/run \
	  --present-or-predicted --workers 2
	$(CLI) simulate --out $(DEMO)/held_out --split train --count 600 --seed 13 --size 320 --at-least 60
	$(CLI) explain --cohort $(DEMO)/held_out --split train --model assets/demo/model.safetensors --run $(DEMO)/test \
	  --method gradcam --pathology Cardiomegaly --workers 2
	$(CLI) report --run $(DEMO)/test --out $(DEMO)/report

# A model that learned a planted shortcut, and what each method shows of it (docs/shortcuts.md): some minutes on two cores.
# Stopped, it goes on.
shortcut: $(VENV)/.installed-dev
	$(CLI) simulate --out $(SHORTCUT)/training --split train --count 480 --seed 31 --size 144 --at-least 150 \
	  --shortcut "side marker:Pneumothorax:0.95"
	$(CLI) simulate --out $(SHORTCUT)/training --split val --count 100 --seed 33 --size 144 --at-least 30 \
	  --shortcut "side marker:Pneumothorax:0.95"
	$(CLI) train --cohort $(SHORTCUT)/training --out $(SHORTCUT)/model.safetensors --init assets/demo/model.safetensors \
	  --size 112 --epochs 3 --batch-size 16 --learning-rate 3e-4 --uncertain ignore --dtype float16
	$(CLI) simulate --out $(SHORTCUT)/evaluation --split val --count 100 --seed 32 --size 144 --at-least 40 \
	  --shortcut "side marker:Pneumothorax:0.5"
	$(CLI) explain --cohort $(SHORTCUT)/evaluation --model $(SHORTCUT)/model.safetensors --run $(SHORTCUT)/run \
	  --pathology Pneumothorax --workers 2
	$(CLI) shortcut --run $(SHORTCUT)/run --out $(SHORTCUT)/report

clean:
	rm -rf $(VENV) node_modules .mypy_cache .pytest_cache .ruff_cache
