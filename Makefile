# Everything here runs in .venv, which is made from requirements.lock and made again when that changes.
PYTHON ?= python3
PORT ?= 8000
WORKERS ?= 4
ONLY ?=

# The tests start some hundred processes, which share what was compiled, also where the surroundings forbid to keep it.
export PYTHONDONTWRITEBYTECODE :=

READY := .venv/.installed
RUN := .venv/bin/python -m
NOTED := COVERAGE_LINES=$(CURDIR)/build/lines PYTHONPATH=$(CURDIR)/tests/lines
PRODUCTION := DEBUG=0 DATABASE_URL=postgresql://lyceum@database.example.org/lyceum ALLOWED_HOSTS=lyceum.example.org \
	SECRET_KEY=$$($(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(48))')

.PHONY: demo test check bench lock
.DELETE_ON_ERROR:

demo: $(READY)
	@exec .venv/bin/python manage.py demo --port "$(PORT)"

# What a browser drives comes after the rest: it is in real time, and wants the processor to itself.
test: $(READY)
	@$(RUN) compileall -q -j 0 config sessions_app analytics_app
	@$(NOTED) $(RUN) tests.lines.report begin
	$(NOTED) $(RUN) pytest -n $(WORKERS) --dist loadgroup --ignore tests/browser
	$(NOTED) $(RUN) pytest -n 2 --dist loadgroup tests/browser
	@$(NOTED) $(RUN) tests.lines.report

check: $(READY)
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	.venv/bin/python .venv/bin/lint-imports
	find templates -name '*.html' -exec .venv/bin/djade --check --target-version 5.2 {} +
	.venv/bin/python manage.py makemigrations --check --dry-run
	$(PRODUCTION) .venv/bin/python manage.py check --deploy --fail-level WARNING

bench: $(READY)
	$(RUN) tests.benchmarks $(ONLY)

lock: $(READY)
	$(PYTHON) -m venv build/uv && build/uv/bin/pip install -q uv
	build/uv/bin/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
		--custom-compile-command "make lock" --output-file requirements.lock

$(READY): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Lyceum needs Python 3.11 or later (make PYTHON=python3.12 ...)")'
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@
