VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3

.PHONY: run test test-busy coverage clients check fix bench bench-quick bench-scale lock openapi clean

run: $(VENV)/run
	@exec $(BIN)/groupsvc serve --demo $(SERVE)

test: $(VENV)/dev
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile $(PYTEST)

# On one core, beside two busy loops: CORE=1 PYTEST=tests/live make test-busy
test-busy: $(VENV)/dev
	@.ci/busy $(BIN)/python -m pytest --numprocesses 0 $(PYTEST)

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

check: $(VENV)/dev
	$(BIN)/ruff format --check src tests alembic benchmarks
	$(BIN)/ruff check src tests alembic benchmarks
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/python -m pytest -q tests/test_repository.py tests/test_documents.py

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
$(VENV)/run: requirements.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the service into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
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
	$(LOCK) pyproject.toml --group build --output-file requirements.txt
	$(LOCK) pyproject.toml --group dev --output-file requirements-dev.txt
	$(LOCK) $(CLIENTS)/requirements.in --output-file $(CLIENTS)/requirements.txt
	npm install --package-lock-only --ignore-scripts --silent --prefix $(CLIENTS)
	node $(CLIENTS)/strip_lock.mjs $(CLIENTS)/package-lock.json
	$(LOCK) benchmarks/requirements.in --constraint requirements-dev.txt --output-file benchmarks/requirements.txt

openapi: $(VENV)/run
	$(BIN)/groupsvc openapi docs/openapi

clean:
	rm -rf $(VENV) dist .coverage .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
