VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
# Tests start hundreds of processes: without byte code each of them compiles the program.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test test-busy torture coverage clients ui check fix bench bench-quick bench-scale lock sbom openapi clean tenants

run: $(VENV)/run
	@exec $(BIN)/groupsvc serve --demo $(SERVE)

# One process more than two cores: tests wait for PostgreSQL, servers and browsers.
test: $(VENV)/dev
	@$(BIN)/python -m pytest --numprocesses 3 --dist loadfile $(PYTEST)

# On one core, beside two busy loops: CORE=1 PYTEST=tests/live make test-busy
test-busy: $(VENV)/dev
	@.ci/busy $(BIN)/python -m pytest --numprocesses 0 $(PYTEST)

# Drills with real processes that are killed, frozen and replaced: DRILLS=tests/torture/kills.py runs some.
# TORTURE_KILLS=100 kills more often, TORTURE_SOAK=600 loads for so many seconds, TORTURE_HISTORIES=10000 is how many
# histories are tried; TORTURE_CELLS, _SECONDS and _REQUESTS bound permissions, documents and bytes with chance faults.
# Properties of Hypothesis are tried on TORTURE_EXAMPLES times as many examples as in the suite.
PROPERTIES := tests/test_model.py $(addprefix tests/services/test_,imports.py import_lists.py lookalikes.py round_trip.py)
DRILLS := tests/torture $(PROPERTIES)
torture: export TORTURE_EXAMPLES ?= 20
torture: $(VENV)/dev
	@$(BIN)/python -m pytest -s -rs --numprocesses 0 --override-ini 'python_files=*.py' $(DRILLS)

# 200 institutions on one server; TORTURE_TENANTS=20 TORTURE_READS=100 for a quick one.
tenants: $(VENV)/dev
	@$(BIN)/python -m pytest -s --numprocesses 0 tests/torture/tenants.py

# Branches of services and rules that the tests take; the floor stands in pyproject.toml.
coverage: $(VENV)/dev
	@rm -f .coverage .coverage.*
	@$(BIN)/coverage run -m pytest --numprocesses 2 --dist loadfile --ignore tests/live $(PYTEST)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

# Clients of the documents: generated, compiled, used. Those in TypeScript need node with npm.
CLIENTS := tests/clients
clients: $(VENV)/dev $(CLIENTS)/.venv/ready
	@if command -v npm >/dev/null; then npm ci --prefix $(CLIENTS) --silent --no-audit --no-fund; \
	else echo "npm is not installed: clients in TypeScript are left out"; fi
	@$(BIN)/python -m pytest -rs --numprocesses 0 $(CLIENTS)/suite.py

# The group editor: source in ui/, what is served in src/groupsvc/ui.
ui: ui/node_modules/ready
	@npm run --silent --prefix ui build

ui/node_modules/ready: ui/package-lock.json
	@npm ci --prefix ui --ignore-scripts --silent --no-audit --no-fund
	@touch $@

check: $(VENV)/dev
	$(BIN)/ruff format --check src tests alembic benchmarks
	$(BIN)/ruff check src tests alembic benchmarks
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/pyright
	@if command -v npm >/dev/null; then $(MAKE) --silent ui/node_modules/ready; else echo "npm is not installed: the editor is not built"; fi
	$(BIN)/python -m pytest -q tests/test_repository.py tests/test_documents.py tests/editor/test_build.py

fix: $(VENV)/dev
	$(BIN)/ruff check --fix src tests alembic benchmarks
	$(BIN)/ruff format src tests alembic benchmarks

bench: $(VENV)/bench
	@$(BIN)/python -m benchmarks $(BENCH)

bench-quick: $(VENV)/bench
	@$(BIN)/python -m benchmarks --quick $(BENCH)

bench-scale: $(VENV)/bench
	@$(BIN)/python -m benchmarks --scale $(BENCH)

# One virtual environment: the first stamp holds what the service needs, the second the tools,
# the third the contenders of the benchmarks.
$(VENV)/run: requirements.txt requirements-build.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the service into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-build.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev: $(VENV)/run requirements-dev.txt
	@echo "installing the tools into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

$(VENV)/bench: $(VENV)/run benchmarks/requirements.txt
	@echo "installing the contenders into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r benchmarks/requirements.txt
	@touch $@

# Apart from the others: schemathesis makes every start of pytest slower.
$(CLIENTS)/.venv/ready: $(CLIENTS)/requirements.txt
	@test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	@echo "installing the generators into $(@D)"
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

# uv and npm write the locks. There are no addresses in them.
LOCK := uv pip compile --universal --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-header --no-annotate --quiet
lock:
	$(LOCK) pyproject.toml --extra otel --output-file requirements-otel.txt
	$(LOCK) pyproject.toml --constraint requirements-otel.txt --output-file requirements.txt
	$(LOCK) --group build --constraint requirements-otel.txt --output-file requirements-build.txt
	$(LOCK) pyproject.toml --extra otel --group dev --output-file requirements-dev.txt
	$(LOCK) $(CLIENTS)/requirements.in --output-file $(CLIENTS)/requirements.txt
	npm install --package-lock-only --ignore-scripts --silent --prefix $(CLIENTS)
	node $(CLIENTS)/strip_lock.mjs $(CLIENTS)/package-lock.json
	npm install --package-lock-only --ignore-scripts --silent --prefix ui
	node $(CLIENTS)/strip_lock.mjs ui/package-lock.json
	$(LOCK) benchmarks/requirements.in --constraint requirements-dev.txt --output-file benchmarks/requirements.txt

# What the locks install: bills of materials for images, and the page of licences. After `make lock`.
sbom: $(VENV)/dev
	$(BIN)/python -m tests.deployment.sbom

openapi: $(VENV)/run
	$(BIN)/groupsvc openapi docs/openapi

clean:
	rm -rf $(VENV) dist .coverage .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
