# Every target makes its own environment in .venv on first use.
# Needs Python 3.11 or later, make, a C++ compiler and perl.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TRAIN := .venv-train
SCENARIO ?= scenarios/demo.toml
SHOTS ?= 50
JOBS ?= 2
MODEL ?= nano
MINUTES ?= 2
PACKAGES ?= loop results run
MUTANTS ?= 100
SEED ?= 0

.PHONY: demo test test-slow mutants bench lint synth hdl-check hdl-waves hdl-cycles schema train clean

demo: $(READY) ## run the demo scenario: a verdict, and runs/demo/report.html
	@$(BIN)/roundtrip run $(SCENARIO) --seed 1; code=$$?; \
	if [ $$code -gt 1 ]; then exit $$code; fi  # 1 is a verdict: the budget is missed

test: $(READY) ## all but the slow tests
	$(BIN)/pytest -n $(JOBS) --dist loadscope -m "not slow"

test-slow: $(READY) $(TRAIN)/.tested ## the slow tests, and all of the models with PyTorch
	$(BIN)/pytest -n $(JOBS) --dist loadscope -m slow --ignore tests/models
	$(TRAIN)/bin/python -m pytest -n $(JOBS) --dist loadscope tests/models

mutants: $(READY) ## which share of MUTANTS small mistakes in PACKAGES their tests notice
	$(BIN)/python -m tests.mutation $(PACKAGES:%=--package %) --count $(MUTANTS) --seed $(SEED) \
		--jobs $(JOBS) --at-least 0.9

bench: $(READY) ## benchmarks; they print ratios
	$(BIN)/pytest benchmarks --benchmark-only -q -s

synth: $(READY) ## write hdl/syn/area.md anew: area and clock frequency of the hardware
	$(BIN)/python -m hdl.synth --out hdl/syn/area.md

lint: $(READY) ## style, types, architecture, spelling, scenario files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/codespell emulator models tests scenarios benchmarks *.md
	$(BIN)/check-jsonschema --schemafile schema/scenario.schema.json scenarios/*.toml

hdl-check: $(READY) ## hold the Verilog packetiser against a run of SCENARIO, byte and cycle
	@mkdir -p runs
	$(BIN)/roundtrip trace stimulus $(SCENARIO) --shots $(SHOTS) --out runs/stimulus.jsonl
	$(BIN)/python -m hdl.check runs/stimulus.jsonl

hdl-waves: $(READY) ## waves of the packetiser in a run of SCENARIO, for GTKWave
	@mkdir -p runs/waves
	$(BIN)/roundtrip trace stimulus $(SCENARIO) --shots 4 --out runs/waves/stimulus.jsonl
	$(BIN)/python -m hdl.waves runs/waves/stimulus.jsonl

hdl-cycles: $(READY) ## latency and throughput of the packetiser beside the sensor bridge's
	$(BIN)/python -m hdl.cycles

schema: $(READY) ## write the JSON schema of scenario files anew
	$(BIN)/roundtrip schema > schema/scenario.schema.json.new
	mv schema/scenario.schema.json.new schema/scenario.schema.json

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Roundtrip needs Python 3.11 or later; say which with make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet -c constraints.txt -e '.[dev,decoders,hdl]'
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

clean: ## remove the environment and everything generated
	rm -rf $(VENV) $(TRAIN) runs .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
