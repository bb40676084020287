# Two commands on a fresh machine: `make demo` and `make test`. They need Python 3.11 or later and nothing else.

.PHONY: help demo test proof screenshots lint fix bench simulate lock style types imports migrations templates
.DEFAULT_GOAL := help

# What the caller's shell says of other Python environments does not reach ours.
unexport PYTHONPATH PYTHONHOME

# The first Python of 3.11 or later; `make demo PYTHON=/path/to/python3` takes another.
PYTHON = $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v $$python; break; }; done)
PY = .venv/bin/python
# With what it takes to load Django's settings; the servers are the tests' own.
DJANGO = SAMEDAY_MODE=test SECRET_KEY=lint $(PY) -m config.embedded run .sameday/test
CODE = $(patsubst %/__init__.py,%,$(wildcard */__init__.py)) manage.py

# Makes .venv, or brings it in step with the lock file named.
define packages
	@test -n "$(PYTHON)" || { echo "Sameday needs Python 3.11 or later; this machine's python3 is" \
		"$$(python3 --version 2>&1 || true). Install one, or name one: make $@ PYTHON=/path/to/python3.11" >&2; exit 1; }
	@"$(PYTHON)" -I config/environment.py $(1)
endef

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 14

demo: ## everything, on http://localhost:8000 (PORT=8001 make demo for another port); Ctrl-C stops it
	$(call packages,requirements-demo.txt)
	@exec $(PY) -m config.demo --stop-with-parent

test: ## all tests, on PostgreSQL and Valkey of their own (ARGS="-k booking" for some)
	$(call packages,requirements-dev.txt)
	$(PY) -m pytest -n auto --dist worksteal $(ARGS)

proof: ## the same tests at full size
	$(call packages,requirements-dev.txt)
	SAMEDAY_PROOF=1 $(PY) -m pytest -n auto --dist worksteal $(ARGS)

screenshots: ## pictures of every page that the browser tests visit, in .sameday/screenshots
	$(call packages,requirements-dev.txt)
	@mkdir -p .sameday/screenshots
	SAMEDAY_SCREENSHOTS=.sameday/screenshots $(PY) -m pytest tests/browser $(ARGS)

lint: ## style, types, import direction, migrations, templates
	$(call packages,requirements-dev.txt)
	@$(MAKE) --no-print-directory --keep-going style types imports migrations templates

style:
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types:
	@$(DJANGO) $(PY) -m mypy $(CODE)

imports:
	@$(PY) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()' --no-logo

migrations:
	@$(DJANGO) $(PY) manage.py makemigrations --check --dry-run
	@$(DJANGO) $(PY) manage.py lintmigrations --quiet ok ignore --settings config.lint_settings

templates:
	@$(PY) -m djlint --lint --check .

fix: ## what can be put right by itself
	$(call packages,requirements-dev.txt)
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .
	-$(PY) -m djlint --reformat --quiet .

bench: ## benchmarks, beside the same work as bare SQL
	$(call packages,requirements-demo.txt)
	$(PY) -m bench $(ARGS)

simulate: ## sixty days of waiting for a clinician, beside what people are told; pictures in .sameday/simulate
	$(call packages,requirements-demo.txt)
	$(PY) -m bench.simulate_waits $(ARGS)

lock: ## requirements*.in to requirements*.txt, exact and with hashes
	$(call packages,requirements-dev.txt)
	for name in requirements requirements-demo requirements-stripe requirements-dev; do \
		$(PY) -m uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
			--no-emit-find-links $$name.in -o $$name.txt || exit 1; done
