VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3

.PHONY: run test check lock openapi clean

run: $(VENV)/run
	@exec $(BIN)/groupsvc serve --demo $(SERVE)

test: $(VENV)/dev
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile $(PYTEST)

check: $(VENV)/dev
	$(BIN)/ruff format --check src tests alembic
	$(BIN)/ruff check src tests alembic
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/python -m pytest -q tests/test_repository.py

# One virtual environment: the first stamp holds what the service needs, the second the tools.
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

# uv writes the locks; it is needed for nothing else.
LOCK := uv pip compile pyproject.toml --universal --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-header --no-annotate --quiet
lock:
	$(LOCK) --group build --output-file requirements.txt
	$(LOCK) --group dev --output-file requirements-dev.txt

openapi: $(VENV)/run
	$(BIN)/groupsvc openapi docs/openapi

clean:
	rm -rf $(VENV) dist .coverage .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
