# `make serve` needs only Python. Every other target installs what it needs.

PYTHON ?= python3
MODEL ?= cnn-transformer
# The folder of MNIST's four IDX files. If empty, they are downloaded into a cache.
MNIST_DIR ?= $(wildcard ../shared/data/mnist)
# A folder of labeled images (labels.csv: file, label, writer, kind) for make export, evaluate and card.
WILD_DIR ?= $(wildcard ../shared/data/wild-dev)
IMAGE ?= digit-service

export MODEL MNIST_DIR WILD_DIR

SERVE := .venv/serve/bin/python
DEV := .venv/dev/bin/python
EXPORT = $(DEV) -m export
OF_MODEL = --model $(MODEL) $(if $(WEIGHTS_DIR),--weights "$(WEIGHTS_DIR)")
PIP := -m pip install --quiet --disable-pip-version-check
COMPILE := $(DEV) -m uv pip compile pyproject.toml --universal --python-version 3.11 --fork-strategy fewest \
	--no-annotate --no-header --quiet

.PHONY: help serve test lint train export evaluate card fuzz soak failover bench wheel image sbom audit lock clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "make %-9s %s\n", $$1, $$2 }'

serve: .venv/serve/.done ## Serve MODEL on HOST:PORT (0.0.0.0:8000)
	@$(SERVE) -m service

test: .venv/serve/.done lint ## Run everything that CI runs
	@SERVE_PYTHON=$(SERVE) $(DEV) -m pytest -n 3 --dist loadfile --no-loadscope-reorder --ignore tests/test_python_versions.py
	@$(DEV) -m pytest -n 2 tests/test_python_versions.py

lint: .venv/dev/.done ## Run ruff, mypy and import-linter
	@$(DEV) -m ruff check .
	@$(DEV) -m ruff format --check .
	@$(DEV) -m mypy
	@.venv/dev/bin/lint-imports --no-cache

train: .venv/dev/.done ## Train MODEL, or resume (DATA=, WEIGHTS_DIR=, EPOCHS=, START=, TEACHERS=, …: docs/training.md)
	@$(EXPORT) train $(OF_MODEL) $(if $(DATA),--data "$(DATA)") $(if $(EPOCHS),--epochs $(EPOCHS)) $(if $(SEED),--seed $(SEED)) \
		$(if $(LEARNING_RATE),--learning-rate $(LEARNING_RATE)) $(if $(START),--start "$(START)") $(if $(SHARE),--share $(SHARE)) \
		$(if $(BATCH_SIZE),--batch-size $(BATCH_SIZE)) $(if $(PASSES),--passes $(PASSES)) $(if $(TEACHERS),--teachers $(TEACHERS))

export: .venv/dev/.done ## Export MODEL: checkpoint -> ONNX -> int8 -> parity -> contract (CHECKPOINT=your own)
	@$(EXPORT) build $(OF_MODEL) $(if $(CHECKPOINT),--checkpoint "$(CHECKPOINT)")

evaluate: .venv/dev/.done ## Evaluate MODEL into runs/MODEL: accuracy, calibration, OOD detection, errors (DATA=own digits)
	@$(EXPORT) evaluate $(OF_MODEL) $(if $(DATA),--data "$(DATA)")

card: .venv/dev/.done ## Evaluate MODEL into weights/MODEL: its model card (DATA=own digits)
	@$(EXPORT) card $(OF_MODEL) $(if $(DATA),--data "$(DATA)")

fuzz: .venv/dev/.done ## Fuzz decoding, body parsing and the whole app for MINUTES (10)
	@$(DEV) -m tests.fuzz --minutes $(or $(MINUTES),10)

soak: .venv/serve/.done .venv/dev/.done ## Serve mixed traffic for MINUTES (10): memory, descriptors and threads must stay level
	@SERVE_PYTHON=$(SERVE) $(DEV) -m tests.soak --minutes $(or $(MINUTES),10)

failover: .venv/serve/.done .venv/dev/.done ## Kill and roll two replicas behind HAProxy under load: what do clients see?
	@SERVE_PYTHON=$(SERVE) $(DEV) -m tests.failover --image $(IMAGE) $(if $(OPTIONS),--options "$(OPTIONS)")

bench: .venv/dev/.done ## Benchmark speed, memory and start-up beside FastAPI + PyTorch (needs wrk and two cores)
	@$(DEV) -m benchmarks

wheel: .venv/dev/.done ## Build dist/digit_service-VERSION-py3-none-any.whl, with the models inside
	@rm -rf build dist *.egg-info
	@log=$$($(DEV) -m build --wheel --no-isolation --outdir dist . 2>&1) || { echo "$$log" >&2; exit 1; }
	@rm -rf build *.egg-info
	@ls dist/*.whl

image: ## Build the container image IMAGE with docker, podman or buildah (BUILDER=, BASE_IMAGE=, BUILD_FLAGS=)
	@sh deploy/build_image.sh $(IMAGE) $(BUILD_FLAGS)

sbom: .venv/dev/.done ## Write dist/sbom.cdx.json, the bill of materials of what serves (CycloneDX)
	@mkdir -p dist
	@$(DEV) -m cyclonedx_py requirements requirements-serve.txt --output-reproducible --output-file dist/sbom.cdx.json
	@ls dist/sbom.cdx.json

audit: .venv/dev/.done ## Look the locked packages of the service up in a database of vulnerabilities
	@$(DEV) -m pip_audit --strict --requirement requirements-serve.txt --require-hashes --disable-pip

# Serving never imports these: onnxruntime's tools need three, uvicorn parses with httptools instead of h11, and only
# anyio's clients resolve names with idna. torch brings its own pins of what CUDA needs.
UNUSED := flatbuffers packaging protobuf h11 idna

lock: .venv/dev/.done ## Pin the versions that pyproject.toml allows
	@$(DEV) $(PIP) uv
	@$(COMPILE) --generate-hashes $(addprefix --no-emit-package ,$(UNUSED)) > requirements-serve.txt
	@$(COMPILE) --generate-hashes > requirements.txt # for buildpacks, which install dependencies, too
	@$(COMPILE) --extra docs --generate-hashes $(addprefix --no-emit-package ,$(UNUSED)) \
		$$(sed -n 's/^\([a-z-]*\)==.*/--no-emit-package \1/p' requirements-serve.txt) > requirements-docs.txt
	@$(COMPILE) --group export --group bench --group test | grep -Ev '^(cuda|nvidia|triton)' > requirements-dev.txt

clean: ## Remove environments, caches and builds; keep weights/ and runs/
	rm -rf .venv build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# An environment is complete when its stamp is newer than its lock. An incomplete one is built again.
.venv/serve/.done: requirements-serve.txt requirements-docs.txt
	@$(call new-environment,serve)
	@$(SERVE) $(PIP) --no-deps --require-hashes $(addprefix --requirement ,$^)
	@$(SERVE) -m compileall -q service # PYTHONDONTWRITEBYTECODE would make each start a quarter slower
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
