# Two commands: `make run` serves the dashboard, `make test` runs every test. Both install what they lack.

PYTHON ?= python3
RUN ?=
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test lint clean

run: $(VENV)/.installed
	@echo "== Serving the dashboard; the address is below, Ctrl-C stops it"
	$(BIN)/python -m streamlit run app.py -- $(if $(RUN),--run $(RUN))

test: $(VENV)/.installed-dev lint
	@$(BIN)/python tests/browser/find_browser.py || { \
	  echo "== Installing a browser for the browser tests"; \
	  if command -v apt-get >/dev/null; then \
	    SUDO=$$( [ "$$(id -u)" = 0 ] || echo sudo ); $$SUDO apt-get update -q && $$SUDO apt-get install -y -q chromium; \
	  else $(BIN)/python -m playwright install chromium; fi; }
	@echo "== Running every test"
	$(BIN)/python -m pytest

lint: $(VENV)/.installed-dev
	@echo "== Checking style and types"
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

$(VENV)/.installed: requirements.txt
	@echo "== Installing what the dashboard needs into $(VENV) (about 6 GB with torch, some minutes)"
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "SHAMSUL needs Python 3.11 or newer; give another one with PYTHON=")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	@echo "== Installing what the tests need into $(VENV)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache
