# Every path is relative and quoted where it may hold a space. The set-up costs nothing when .venv is up to date.
# Settings, from the command line or the environment: PYTHON, TORCH_INDEX, CONSTRAINTS, SPHINXOPTS, PYTEST_ARGS, PORT.

PY := .venv/bin/python
SET_UP := sh tools/setup.sh
SOURCE := book
HTML := $(SOURCE)/_build/html
SPHINX := -W --keep-going -d $(SOURCE)/_build/doctrees
PORT ?= 8000
# The ePub bears the date of the last commit; outside of git it is dated 1980.
LAST_COMMIT := git log -1 --format=%ct 2>/dev/null || echo 315532800

define CHECKS
@$(PY) -m ruff check
@$(PY) -m ruff format --check
@$(PY) -m mypy
@.venv/bin/lint-imports
endef

.DEFAULT_GOAL := help
.PHONY: help html epub dist test live serve bench bench-playground lint linkcheck lock clean distclean

help: ## list what make can do
	@echo "Introduction to Neural Networks and Deep Learning"
	@echo
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' Makefile | while IFS='	' read -r name text; do printf '  make %-16s %s\n' "$$name" "$$text"; done
	@echo
	@echo "PyTorch's CPU build on Linux: make html TORCH_INDEX=<address> (see README.md)"
	@echo "Another Python:               make html PYTHON=python3.12"

html: ## set up .venv, run every chapter, write book/_build/html
	@$(SET_UP) book
	@$(PY) -m sphinx -b html -j auto $(SPHINX) $(SPHINXOPTS) $(SOURCE) $(HTML)

epub: ## write the book as an ePub: book/_build/epub/*.epub
	@$(SET_UP) book
	@SOURCE_DATE_EPOCH="$${SOURCE_DATE_EPOCH:-$$($(LAST_COMMIT))}" $(PY) -m sphinx -b epub -j auto $(SPHINX) -d $(SOURCE)/_build/doctrees-epub \
		$(SPHINXOPTS) $(SOURCE) $(SOURCE)/_build/epub

dist: html ## pack site, notebooks, ePub and wheel into one archive: dist/*.zip
	@$(MAKE) --no-print-directory epub
	@$(PY) tools/dist.py

test: ## set up .venv and run lint, types, contracts, unit, site and browser tests
	@$(SET_UP) book test
	$(CHECKS)
	@CHROMIUM="$$($(PY) tools/find_chromium.py)" && export CHROMIUM && $(PY) -m pytest -n auto --dist loadfile $(PYTEST_ARGS)

live: ## rebuild on save, in the browser
	@$(SET_UP) book
	@$(PY) -m sphinx_autobuild -j auto -d $(SOURCE)/_build/doctrees --watch dlcourse --ignore book/_build --re-ignore __pycache__ \
		--host 127.0.0.1 --port $(PORT) --open-browser $(SPHINXOPTS) $(SOURCE) $(HTML)

serve: ## serve the built book on this machine alone
	@$(SET_UP) book
	@test -f $(HTML)/index.html || { echo "There is no built book yet: run make html first." >&2; exit 1; }
	@$(PY) -m http.server --bind 127.0.0.1 --directory $(HTML) $(PORT)

bench: ## time fit against the bare loop and against Keras
	@$(SET_UP) book test
	@$(PY) -m pytest tests/benchmarks --benchmark-only $(PYTEST_ARGS)

bench-playground: ## time the playground's engines against the TensorFlow Playground's algorithm, in Chromium
	@$(SET_UP) book test
	@CHROMIUM="$$($(PY) tools/find_chromium.py)" && $(PY) tools/playground/bench.py "$$CHROMIUM"

lint: ## ruff, mypy and the import contracts
	@$(SET_UP) book test
	$(CHECKS)

linkcheck: ## follow every link that leaves the book
	@$(SET_UP) book
	@$(PY) -m sphinx -b linkcheck -j auto $(SPHINX) $(SPHINXOPTS) $(SOURCE) $(SOURCE)/_build/linkcheck

lock: ## write requirements.lock anew, from the ranges in pyproject.toml
	@sh tools/with_python.sh tools/lock.py

clean: ## remove what the build and the tests made, but not .venv
	@rm -rf book/_build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .benchmarks .jupyter_cache
	@find book dlcourse tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## clean, and remove .venv
	@sh tools/with_python.sh tools/setup_venv.py --remove
