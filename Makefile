# Two commands are enough: make train, make test. They bring uv if it is missing, and it the rest.

UV := $(shell command -v uv || echo .uv/bin/uv)
SYNC := $(UV) sync --quiet --locked --all-packages --extra cpu
RUN := $(UV) run --no-sync
CLUSTER := UV_PROJECT_ENVIRONMENT=.venv-cluster $(UV)

.PHONY: help train test test-slow check check-cluster format golden docs wheels
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

train: .venv/ready ## train the tiny model with MASA, on the CPU; ARGS="--seed 1" passes flags
	$(RUN) masa-openrlhf train $(ARGS)

test: check ## everything CI runs: format, lint, types, imports, tests; ARGS="-k NAME" chooses
	$(RUN) pytest $(ARGS)

test-slow: .venv/ready ## runs that take minutes each: two nodes, a stand-in for Slurm, real problems
	$(RUN) pytest -m slow $(ARGS)

check: .venv/ready ## format, lint, types, direction of imports
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy packages/masa-rewards/src packages/masa-control/src packages/masa-openrlhf/src
	$(RUN) lint-imports

check-cluster: .venv-cluster/ready ## the cluster's environment (9.1 GB): how far a GPU run gets here
	$(CLUSTER) run --no-sync python -m masa_openrlhf.gpu.check

format: .venv/ready ## format, and mend what lint can
	$(RUN) ruff format .
	$(RUN) ruff check --fix .

golden: .venv/ready ## write the golden numbers anew, after some were moved on purpose
	$(RUN) python -m tests.golden.write

docs: .venv/ready ## build the docs site into site/, strictly; open site/index.html
	$(RUN) python -m masa_openrlhf.config.settings_page > docs/reference/settings.md
	$(RUN) python -m masa_openrlhf.display.metric_catalogue > docs/reference/metrics.md
	NO_MKDOCS_2_WARNING=1 $(RUN) mkdocs build --strict --quiet

wheels: $(UV) ## build the three wheels into dist/
	for name in masa-rewards masa-control masa-openrlhf; do \
	    $(UV) build --package $$name --wheel || exit 1; \
	done

.venv/ready: $(UV) uv.lock pyproject.toml $(wildcard packages/*/pyproject.toml) benchmarks/pyproject.toml
	$(SYNC)
	@touch $@

.venv-cluster/ready: $(UV) uv.lock pyproject.toml $(wildcard packages/*/pyproject.toml) benchmarks/pyproject.toml
	$(CLUSTER) sync --quiet --locked --compile-bytecode --extra cluster
	@touch $@

.uv/bin/uv:
	python3 -m venv .uv
	.uv/bin/pip install --quiet uv
