# One room a target. `make serve` needs only Python; every other target installs what it needs by itself.

PYTHON ?= python3
MODEL ?= cnn-transformer
# The folder of MNIST's four IDX files. Where it is empty, they are downloaded into a cache.
MNIST_DIR ?= $(wildcard ../shared/data/mnist)
# A folder of people's own pictures with a labels.csv (file, label, writer, kind), for make evaluate.
WILD_DIR ?= $(wildcard ../shared/data/wild-dev)
IMAGE ?= digit-service

export MODEL MNIST_DIR WILD_DIR

SERVE := .venv/serve/bin/python
DEV := .venv/dev/bin/python
PIP := -m pip install --quiet --disable-pip-version-check
COMPILE := $(DEV) -m uv pip compile pyproject.toml --universal --python-version 3.11 --fork-strategy fewest \
	--no-annotate --no-header --quiet

.PHONY: help serve test lint export train evaluate card bench image lock clean

help: ## This list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "make %-10s %s\n", $$1, $$2 }'

serve: .venv/serve/.done ## Serve MODEL on HOST:PORT (0.0.0.0:8000)
	@$(SERVE) -m service

test: .venv/serve/.done lint ## Everything that CI runs
	@SERVE_PYTHON=$(SERVE) $(DEV) -m pytest

lint: .venv/dev/.done ## ruff and mypy
	@$(DEV) -m ruff check .
	@$(DEV) -m ruff format --check .
	@$(DEV) -m mypy

export: .venv/dev/.done ## Checkpoint -> ONNX -> parity -> contract, in weights/MODEL (CHECKPOINT=your own)
	@$(DEV) -m export --model $(MODEL) $(if $(CHECKPOINT),--checkpoint "$(CHECKPOINT)")

train: .venv/dev/.done ## Train MODEL on MNIST; an interrupted run goes on (EPOCHS=, SEED=, LEARNING_RATE=, START=checkpoint)
	@$(DEV) -m export.train --model $(MODEL) $(if $(EPOCHS),--epochs $(EPOCHS)) $(if $(SEED),--seed $(SEED)) \
		$(if $(LEARNING_RATE),--learning-rate $(LEARNING_RATE)) $(if $(START),--start $(START))

evaluate: .venv/dev/.done ## Accuracy, calibration, doubt and misread pictures of MODEL, into runs/MODEL
	@$(DEV) -m export.evaluate --model $(MODEL)

card: .venv/dev/.done ## The same into weights/MODEL: its model card
	@$(DEV) -m export.evaluate --model $(MODEL) --into weights/$(MODEL)

bench: .venv/dev/.done ## Speed, memory and start-up beside a reference server; needs wrk and two cores
	@$(DEV) -m benchmarks

image: ## The container image IMAGE
	docker build --tag $(IMAGE) .

# What serving never imports: onnxruntime's tools need three, uvicorn parses without h11 where httptools is, and only
# anyio's clients look up names with idna. torch brings its own pins of what CUDA needs.
UNUSED := flatbuffers packaging protobuf h11 idna

lock: .venv/dev/.done ## Pin anew what pyproject.toml allows
	@$(DEV) $(PIP) uv
	@$(COMPILE) --generate-hashes $(addprefix --no-emit-package ,$(UNUSED)) > requirements-serve.txt
	@$(COMPILE) --group export --group bench --group test | grep -Ev '^(cuda|nvidia|triton)' > requirements-dev.txt

clean: ## Remove the environments and caches; weights/ and runs/ stay
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# An environment is done when its stamp is newer than its lock; a half-made one is made anew.
.venv/serve/.done: requirements-serve.txt
	@$(call new-environment,serve)
	@$(SERVE) $(PIP) --no-deps --require-hashes --requirement $<
	@touch $@

.venv/dev/.done: requirements-dev.txt
	@$(call new-environment,dev)
	@$(DEV) $(PIP) --requirement $<
	@touch $@

fail = { echo "make: $(1)" >&2; exit 1; }

new-environment = \
	command -v $(PYTHON) >/dev/null || \
		$(call fail,$(PYTHON) is not installed. Install Python 3.11 or later or name one with PYTHON=.); \
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		$(call fail,$(PYTHON) is $$($(PYTHON) -V 2>&1). Python 3.11 or later is needed: name one with PYTHON=.); \
	$(PYTHON) -c 'import venv; import ensurepip' 2>/dev/null || \
		$(call fail,$(PYTHON) lacks the venv module. Install it (on Debian and Ubuntu: apt install python3-venv).); \
	echo "make: installing into .venv/$(1)" >&2; \
	rm -rf .venv/$(1) && $(PYTHON) -m venv .venv/$(1)
