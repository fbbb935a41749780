# Every target makes its own environment in .venv on first use: what a run needs, and for all but the
# demo what the tests need besides.
# Needs Python 3.11 or later, make, a C++ compiler and perl.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TESTED := $(VENV)/.tested
TRAIN := .venv-train
LOWEST := .venv-lowest
SCENARIO ?= scenarios/demo.toml
SHOTS ?= 50
JOBS ?= 2
MODEL ?= nano
MINUTES ?= 2
# what depends on versions of packages most, in a few minutes
PART ?= tests/cli tests/loop tests/results tests/scenario tests/syndromes tests/timing tests/decoders tests/report
PACKAGES ?= loop results run
MUTANTS ?= 100
SEED ?= 0

.PHONY: demo test test-slow test-wheel test-lowest test-part coverage mutants bench lint synth hdl-check hdl-waves hdl-cycles schema train clean

demo: $(READY) ## run the demo scenario: a verdict, and runs/demo/report.html
	@$(BIN)/roundtrip run $(SCENARIO) --seed 1; code=$$?; \
	case $$code in 0|1|4) ;; *) exit $$code ;; esac  # met, missed, undecided: a verdict

test: $(TESTED) ## all but the slow tests
	$(BIN)/pytest -n $(JOBS) --dist loadscope -m "not slow"

test-slow: $(TESTED) $(TRAIN)/.tested ## the slow tests, and all of the models with PyTorch
	$(BIN)/pytest -n $(JOBS) --dist loadscope -m slow --ignore tests/models
	$(TRAIN)/bin/python -m pytest -n $(JOBS) --dist loadscope tests/models

test-wheel: $(TESTED) ## the wheel in an environment of its own, outside of this folder, for any PYTHON
	$(BIN)/python -m tests.wheel --python $(PYTHON)

test-lowest: $(LOWEST)/.ready ## a part of the tests with the lowest versions of the dependencies
	$(LOWEST)/bin/python -m pytest -n $(JOBS) --dist loadscope -m "not slow" $(PART)

test-part: $(TESTED) ## the same part with the usual versions, for another PYTHON in another VENV
	$(BIN)/python -m pytest -n $(JOBS) --dist loadscope -m "not slow" $(PART)

coverage: $(TESTED) ## how often each interval holds the truth: a table, in half an hour
	$(BIN)/python -m tests.results.coverage

mutants: $(TESTED) ## which share of MUTANTS small mistakes in PACKAGES their tests notice
	$(BIN)/python -m tests.mutation $(PACKAGES:%=--package %) --count $(MUTANTS) --seed $(SEED) \
		--jobs $(JOBS) --at-least 0.9

bench: $(TESTED) ## benchmarks; they print ratios
	$(BIN)/pytest benchmarks --benchmark-only -q -s

synth: $(TESTED) ## write hdl/syn/area.md anew: area and clock frequency of the hardware
	$(BIN)/python -m hdl.synth --out hdl/syn/area.md

lint: $(TESTED) ## style, types, architecture, spelling, scenario files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/codespell emulator models tests scenarios benchmarks *.md
	$(BIN)/check-jsonschema --schemafile schema/scenario.schema.json scenarios/*.toml

hdl-check: $(TESTED) ## hold the Verilog packetiser against a run of SCENARIO, byte and cycle
	@mkdir -p runs
	$(BIN)/roundtrip trace stimulus $(SCENARIO) --shots $(SHOTS) --out runs/stimulus.jsonl
	$(BIN)/python -m hdl.check runs/stimulus.jsonl

hdl-waves: $(TESTED) ## waves of the packetiser in a run of SCENARIO, for GTKWave
	@mkdir -p runs/waves
	$(BIN)/roundtrip trace stimulus $(SCENARIO) --shots 4 --out runs/waves/stimulus.jsonl
	$(BIN)/python -m hdl.waves runs/waves/stimulus.jsonl

hdl-cycles: $(TESTED) ## latency and throughput of the packetiser beside the sensor bridge's
	$(BIN)/python -m hdl.cycles

schema: $(READY) ## write the JSON schemas of scenarios and results anew
	$(BIN)/roundtrip schema > schema/scenario.schema.json.new
	mv schema/scenario.schema.json.new schema/scenario.schema.json
	$(BIN)/roundtrip schema result > schema/result.schema.json.new
	mv schema/result.schema.json.new schema/result.schema.json

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Roundtrip needs Python 3.11 or later; say which with make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -c constraints.txt -e .
	@touch $@

$(TESTED): $(READY)
	$(BIN)/pip install --quiet -c constraints.txt -e '.[dev,decoders,hdl]'
	@touch $@

# uv resolves to the lowest versions that pyproject.toml allows, and tells if they do not go together
$(LOWEST)/.ready: pyproject.toml $(TESTED)
	$(BIN)/pip install --quiet uv
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(LOWEST)
	$(BIN)/uv pip install --quiet --python $(LOWEST)/bin/python --resolution lowest-direct -e '.[dev,decoders,hdl]'
	@touch $@

train: $(TRAIN)/.ready ## train MODEL for MINUTES, or go on with it; see models/training/train.py
	$(TRAIN)/bin/python -m models.training.train $(MODEL) --minutes $(MINUTES)

$(TRAIN)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(TRAIN)
	$(TRAIN)/bin/pip install --quiet --upgrade pip
	$(TRAIN)/bin/pip install --quiet -c constraints.txt -e '.[train]'
	@touch $@

$(TRAIN)/.tested: $(TRAIN)/.ready
	$(TRAIN)/bin/pip install --quiet -c constraints.txt -e '.[train,dev]'
	@touch $@

# Roundtrip's own cache: only what it built there goes, as the folder may be one of the user's
CACHE = $${ROUNDTRIP_CACHE:-$${XDG_CACHE_HOME:-$$HOME/.cache}/roundtrip}
HEX := [0-9a-f][0-9a-f][0-9a-f][0-9a-f]

clean: ## remove the environments, everything generated here, and what was compiled in ~/.cache/roundtrip
	rm -rf $(VENV) $(TRAIN) $(LOWEST) .venv-other runs sim_build dist
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks .import_linter_cache
	find . -name .git -prune -o \( -name __pycache__ -o -name '*.egg-info' \) -prune -exec rm -rf {} +
	rm -rf "$(CACHE)"/packetiser_*-$(HEX)$(HEX)$(HEX)$(HEX)* \
		"$(CACHE)"/engine-$(HEX)$(HEX)$(HEX)$(HEX) \
		"$(CACHE)"/verilated/$(HEX)$(HEX)$(HEX)$(HEX)
	@rmdir "$(CACHE)"/verilated "$(CACHE)" 2>/dev/null || true
