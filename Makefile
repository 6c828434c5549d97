# Every command of the project; what they do stands in scripts/.
PYTHON ?= python3
ENV := .venv/bin/python

.PHONY: help setup run test check format lock bench faults record clean

help: ## list the commands
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 16

setup: ## .venv, the page's npm packages, a browser: what `make run` needs
	@$(PYTHON) scripts/setup.py run

run: setup ## the server, the scheduler and two demo portals, until Ctrl-C; REDIS=1 PROCESSES=2 over Redis
	@$(ENV) scripts/run.py

test: ## install what the tests need and run them; ARGS="-k feed" picks some
	@$(PYTHON) scripts/setup.py test
	@$(ENV) -m pytest -n auto --maxprocesses 4 --dist loadfile $(ARGS)

check: ## lint, format, types, import rules
	@$(PYTHON) scripts/setup.py check
	@$(ENV) -m ruff check .
	@$(ENV) -m ruff format --check .
	@$(ENV) -m mypy
	@.venv/bin/lint-imports

format: ## let ruff mend what it can
	@$(PYTHON) scripts/setup.py check
	@$(ENV) -m ruff check --fix .
	@$(ENV) -m ruff format .

lock: ## write the locks anew from pyproject.toml; ARGS=--upgrade takes newer versions
	@$(PYTHON) scripts/setup.py check
	@$(ENV) scripts/lock.py $(ARGS)

bench: ## measure beside what others use, into docs/performance.md; ARGS=fanout picks one
	@$(PYTHON) scripts/setup.py bench
	@$(ENV) -m benchmarks $(ARGS)

faults: ## half an hour of faults, counted, into docs/reliability.md; ARGS="--minutes 120" for longer
	@$(PYTHON) scripts/setup.py test
	@$(ENV) -m tests.faults $(ARGS)

record: ## a minute of `make run` as docs/live.webp
	@$(PYTHON) scripts/setup.py test
	@$(ENV) scripts/record.py $(ARGS)

clean: ## remove what set-up and the tools made; the database and ./var stay
	rm -rf .venv node_modules realtime/web/vendor .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
