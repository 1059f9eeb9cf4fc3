.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
UV_VERSION := 0.13.9
# Behind a proxy with an authority of its own, uv is to trust what pip and curl trust.
ifneq ($(wildcard /etc/ssl/certs/*),)
export UV_SYSTEM_CERTS ?= 1
endif

# What one process has compiled, the next one reads: tests start many, and each would compile all it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(BIN)/uv:
	@echo "==> creating $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet uv==$(UV_VERSION)

$(VENV)/.installed: requirements/dev.txt pyproject.toml | $(BIN)/uv
	@echo "==> installing the locked packages"
	@$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	@touch $@

.PHONY: setup
setup: $(VENV)/.installed ## Make .venv with every locked package and the project itself

.PHONY: lock
lock: | $(BIN)/uv ## Write requirements/*.txt from pyproject.toml (hashes, every platform)
	@compile() { $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-emit-index-url --no-annotate "$${@:2}" -o requirements/$$1.txt; }; \
	compile dev pyproject.toml --group dev; \
	compile audit --group audit; compile mutation --group mutation; compile sam --group sam; compile ministack --group ministack; compile node --group node; compile field --group field; \
	compile common --group common -c requirements/dev.txt; \
	layer=$$(sed -nE 's/^([A-Za-z0-9._-]+).*==.*/--no-emit-package=\1/p' requirements/common.txt); \
	for name in api ingest provision analyze insert export operations; do \
	    compile $$name --group $$name -c requirements/dev.txt $$layer; \
	done

.PHONY: openapi
openapi: setup ## Write docs/openapi.json and the console's patterns of values from the code
	@$(BIN)/python -m managed_tables_api > docs/openapi.json
	@$(BIN)/python -m managed_tables.conversion.patterns > console/src/values/patterns.json

.PHONY: contract
contract: setup ## Write docs/contract.md from the tests; print every statement that one of them holds
	@$(BIN)/python tests/contract.py

.PHONY: lint
lint: setup
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -c "from managed_tables_local.page import check_style; check_style()"

.PHONY: types
types: setup
	@$(BIN)/mypy && $(BIN)/mypy --config-file tests/mypy.ini

.PHONY: check
check: lint types budgets ## Lint, types, budgets and fast tests: under a minute on 2 cores
	@$(BIN)/pytest -q -n 2 tests/unit reader/tests

.PHONY: hooks
hooks: setup ## Have git run lint, types and budgets before each commit, and judge its subject
	@$(BIN)/pre-commit install

.PHONY: budgets
budgets: setup ## Print what each room weighs, and its complexity, beside their limits
	@$(BIN)/python tests/budgets.py

AUDIT := .local/audit-venv
AUDITED := api common analyze insert export operations
.PHONY: audit
audit: setup ## Security: bandit, checkov on the template, known vulnerabilities of what is locked
	@$(UV) venv --quiet --allow-existing --python $(BIN)/python $(AUDIT)
	@$(UV) pip sync --quiet --require-hashes --python $(AUDIT) requirements/audit.txt
	@export PATH="$$PWD/$(AUDIT)/bin:$$PATH"; found=0; \
	bandit --quiet --configfile pyproject.toml --recursive functions layers localstack statemachine || found=1; \
	checkov --config-file .checkov.yaml --file template.yaml --skip-download || found=1; \
	pip-audit --vulnerability-service pypi --no-deps --disable-pip $(AUDITED:%=-r requirements/%.txt) || found=1; \
	exit $$found

LOCAL_STACK := $(BIN)/python -m managed_tables_local

.PHONY: up
up: setup ## Bring the local stack up (emulator of AWS, PostgreSQL, deployment); writes .local/stack.json
	@$(LOCAL_STACK) up

.PHONY: down
down: setup ## Stop the local stack; what it holds stays
	@$(LOCAL_STACK) down

.PHONY: run
run: setup ## Bring the stack up and take a real CSV file all the way into a table
	@$(LOCAL_STACK) run

.PHONY: sam-local
sam-local: setup ## Run each function, or FUNCTION=, by `sam local invoke` on its event of events/; VALUES="job_id=…" fill it in
	@$(LOCAL_STACK) sam-local $(if $(FUNCTION),--function $(FUNCTION)) $(VALUES:%=--set %)

.PHONY: sam-api
sam-api: setup ## Serve the API by `sam local start-api` on 127.0.0.1:3000, against the running stack
	@$(LOCAL_STACK) sam-api

.PHONY: rehearse
rehearse: setup ## Walk the runbooks of incidents on a stack with TLS, under load; prints what AWS alone decides
	@$(LOCAL_STACK) rehearse

.PHONY: token
token: setup ## Print a bearer token: COMPANY=24 hex digits, PERMISSIONS=a,b (default: all)
	@$(LOCAL_STACK) token --company "$(COMPANY)" $(if $(PERMISSIONS),--permissions "$(PERMISSIONS)")

.PHONY: serve
serve: setup ## Serve the API by uvicorn with reload, against the running stack
	@$(LOCAL_STACK) serve

.PHONY: console
console: setup ## Build the console's page and run the tests of its parts
	@$(LOCAL_STACK) console

.PHONY: pictures
pictures: setup ## Take the docs' pictures of the console from the running stack, into docs/images
	@$(LOCAL_STACK) pictures

.PHONY: scorecard
scorecard: setup ## Measure how well files are read, and what changed (FOLDER= of labelled files; PAGE= of other programs)
	@PYTHONPATH=tests/files:reader/scorecard $(BIN)/python tests/scorecard.py $(FOLDER)
	@$(if $(and $(FOLDER),$(PAGE)),$(MAKE) --no-print-directory field)

FIELD_VENV := .local/field-venv
.PHONY: field
field: reader ## What `make scorecard` does with PAGE=: measure seven other programs, and write the page
	@$(UV) venv --quiet --allow-existing --python $(BIN)/python $(FIELD_VENV)
	@$(UV) pip sync --quiet --require-hashes --python $(FIELD_VENV) requirements/field.txt
	@$(UV) pip install --quiet --no-deps --reinstall --python $(FIELD_VENV) "$$(ls -t dist/managed_tables_reader-*.whl | head -1)"
	@$(FIELD_VENV)/bin/python -P reader/scorecard/measure.py $(FOLDER) $(PAGE)

.PHONY: test
test: setup ## Run every test, on a stack of its own
	@echo "==> all tests, on a stack of their own (progress is pytest's)"
	@$(BIN)/pytest -n 3 --dist loadscope --no-loadscope-reorder

.PHONY: test-reading
test-reading: setup ## Read every file of tests/files and compare with what stands beside it (about 2 minutes)
	@$(BIN)/pytest -q -n 2 tests/files

.PHONY: coverage
coverage: setup ## Measure which branches of the product the tests without a deployed stack run; has a floor
	@$(BIN)/pytest -q -n 2 --dist loadscope --cov --cov-report=term tests/unit reader/tests tests/properties tests/files tests/hostile tests/integration

.PHONY: test-load
test-load: setup ## 16 clients of 4 companies for 5 minutes on the ASGI server; prints what was held (SECONDS=)
	@$(BIN)/pytest -s --against serve --load-seconds $(or $(SECONDS),300) tests/e2e/test_load.py

.PHONY: test-load-deployed
test-load-deployed: setup ## The same for 10 minutes on the deployed stack (SECONDS=)
	@$(BIN)/pytest -s --against deployed --load-seconds $(or $(SECONDS),600) tests/e2e/test_load.py

.PHONY: test-contract
test-contract: setup ## Every contract test on the deployed stack, those of the application alone as well
	@$(BIN)/pytest -q -n 2 --dist loadscope --against deployed tests/e2e/test_contract_*.py

.PHONY: test-races
test-races: setup ## 32 clients create, rename and delete tables for 60 s; prints what they were answered
	@$(BIN)/pytest -s --against deployed --seconds 60 tests/e2e/test_contract_races.py -k many_clients

.PHONY: test-faults
test-faults: setup ## Every fault at every boundary of every step, all races, the deployed stack broken
	@$(BIN)/pytest -n 2 --dist load --faults 0 tests/faults tests/integration/test_unattended_races.py
	@$(BIN)/pytest --stack tests/e2e/test_faults.py tests/e2e/test_stack.py

.PHONY: test-model
test-model: setup ## Tables, rows, jobs and faults in any order against a model, 200 long lives (LIVES=)
	@$(BIN)/pytest --lives $(or $(LIVES),200) tests/faults/test_model.py tests/faults/test_key_model.py

.PHONY: test-mutation
test-mutation: setup ## Change the product in one place at a time: which changes does no test notice? (MUTANTS=)
	@nice $(BIN)/python tests/mutation.py --mutants $(or $(MUTANTS),60)

.PHONY: test-iam
test-iam: setup ## Take each statement of the policies away in turn: something must break (some 10 minutes)
	@$(BIN)/pytest -s --against deployed --iam tests/e2e/test_iam.py

.PHONY: test-schemathesis
test-schemathesis: setup ## 1,000 generated cases an operation, every check on: half an hour (CASES=)
	@$(BIN)/pytest -s --cases $(or $(CASES),1000) tests/e2e/test_contract_openapi.py -k generated

.PHONY: test-values
test-values: setup ## Random tables and files by the hundred, there and back; 10,000 cells traced to their files
	@$(BIN)/pytest -n 2 --dist load --values 200 tests/properties/test_values_of_every_file.py tests/properties/test_csv_round_trip.py \
	    tests/properties/test_two_engines.py tests/properties/test_workbook_roundtrip.py tests/integration/test_export_round_trip.py tests/e2e/test_origins.py

.PHONY: test-series
test-series: setup ## Monthly reports: fifty with drift, what loads by itself; twenty, which learned rules hold
	@$(BIN)/pytest -s --series tests/integration/test_series.py tests/integration/test_learned_rules.py

.PHONY: test-drift
test-drift: setup ## Files by 94 kinds of drift: none loads itself otherwise than an oracle says (FILES=, SEED=)
	@POWERTOOLS_LOG_LEVEL=CRITICAL POWERTOOLS_METRICS_DISABLED=true $(BIN)/pytest -q -rP -n 2 --show-capture=stdout --drift $(or $(FILES),2000) --drift-seed $(or $(SEED),51) tests/integration/test_drift.py

.PHONY: test-postgres
test-postgres: setup ## The tests of rows, conditions and keys on another PostgreSQL, from 15 on (PROGRAMS= its folder bin)
	@MANAGED_TABLES_POSTGRES=$(or $(PROGRAMS),/usr/lib/postgresql/15/bin) $(BIN)/pytest -n 2 --dist loadscope \
	    tests/integration/test_postgres_server.py tests/integration/test_conditions.py tests/integration/test_row_lists.py \
	    tests/integration/test_rows_properties.py tests/integration/test_row_changes.py tests/integration/test_row_keys.py \
	    tests/integration/test_keys.py tests/integration/test_upsert.py tests/integration/test_undo.py

.PHONY: test-scale
test-scale: setup ## 200 companies on two clusters, 100 jobs at once, on a stack of its own (COMPANIES=)
	@$(BIN)/pytest --companies $(or $(COMPANIES),200) tests/e2e/test_scale.py

.PHONY: smoke
smoke: setup ## Try a deployment from outside: API= TOKEN=, for the inbox BUCKET= COMPANY=, of load SECONDS= (5)
	@SMOKE_TOKEN="$(TOKEN)" $(BIN)/python -m managed_tables_command.smoke --api "$(API)" \
	    --bucket "$(BUCKET)" --company "$(COMPANY)" --seconds "$(or $(SECONDS),5)"

.PHONY: operate
operate: setup ## Run an operator's command in the deployed network: FUNCTION=name DO="reconcile"; REQUEST= follows one
	@$(BIN)/python -m managed_tables_operations --function "$(FUNCTION)" $(if $(REQUEST),follow --request "$(REQUEST)",$(DO))

.PHONY: bench
bench: setup ## Measure: imports, cold starts, the API, the load of a million rows
	@$(BIN)/python -m benchmarks

.PHONY: dist
dist: setup ## Build the wheel, with the managed-tables command, into dist/
	@$(UV) build --quiet --wheel --no-build-isolation --python $(BIN)/python --out-dir dist && ls dist/*.whl

.PHONY: reader
reader: setup ## Build managed-tables-reader, the reader for everybody, into dist/: the sdist, and from it the wheel
	@$(UV) build --quiet --no-build-isolation --python $(BIN)/python --out-dir dist reader && ls dist/managed_tables_reader-*

READER_VENV := .local/reader-venv
.PHONY: test-reader
test-reader: reader ## Install that wheel alone, without AWS, and read tests/files with it as the product does (EVERY=N)
	@$(UV) venv --quiet --clear --python $(BIN)/python $(READER_VENV)
	@$(UV) pip install --quiet --python $(READER_VENV) -c requirements/dev.txt "$$(ls -t dist/managed_tables_reader-*.whl | head -1)[infer]"
	@$(READER_VENV)/bin/python -P reader/tests/check_files.py tests/files --every $(or $(EVERY),1)

.PHONY: clean
clean: ## Stop the stack; delete what it holds, the environments and every cache
	@if [ -x $(BIN)/python ]; then $(LOCAL_STACK) remove; fi
	@echo "==> deleting .local, $(VENV) and caches"
	@rm -rf .local .aws-sam dist $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis console/node_modules/.cache
