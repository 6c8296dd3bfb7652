# Set-up and checks. Needs Python 3.11 or later and make; all packages are installed into .venv.
PYTHON ?= python3
BIN := .venv/bin
DEMO := demo
EXPERIMENT := experiment
# number of test files that run at the same time; test files are independent of each other
TEST_JOBS ?= 2

WHEEL := build/wheel

.PHONY: demo experiment test test-fast trainers wheel test-wheel test-install browser docs lint types \
	bench bench-stream bench-peers bench-subset clean

# the base install; .venv/ready adds the libraries of models and tests
.venv/base: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	touch $@

.venv/ready: .venv/base
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: .venv/base
	$(BIN)/sgt-data sample $(DEMO)/sources --images 32
	$(BIN)/sgt-data build demo --output $(DEMO)/corpus
	$(BIN)/sgt-data verify $(DEMO)/corpus --deep
	$(BIN)/sgt-data preview $(DEMO)/corpus --output $(DEMO)/contact-sheet.png

# half an hour on two cores, half of it stage 0, which is done once; after a kill, the same command
# continues
SCENES = $(BIN)/sgt-data sample $(1) --scenes simple --form coco --width 48 --height 48
SOURCES = --set sources.coco.root=$(1)/coco --set sources.coco.depth=$(1)/depth
PRETRAIN := $(EXPERIMENT)/pretrain
CAPTIONS := annotations/captions_train2017.json

$(PRETRAIN)/model/gate.json: | .venv/ready
	$(call SCENES,$(PRETRAIN)/sources) --images 8000 --seed 1
	$(BIN)/sgt-data build experiment --output $(PRETRAIN)/corpus $(call SOURCES,$(PRETRAIN)/sources)
	$(BIN)/sgt-data questions $(PRETRAIN)/corpus --output $(PRETRAIN)/questions --per-task 12000
	$(BIN)/sgt-data captions $(PRETRAIN)/corpus --captions $(PRETRAIN)/sources/coco/$(CAPTIONS) \
		--output $(PRETRAIN)/descriptions --tasks things --ask "What does the picture show?"
	$(BIN)/sgt-data captions $(PRETRAIN)/corpus --captions $(PRETRAIN)/sources/coco/$(CAPTIONS) \
		--output $(PRETRAIN)/pictures
	$(BIN)/sgt-data captions $(PRETRAIN)/corpus --captions $(PRETRAIN)/sources/coco/$(CAPTIONS) \
		--output $(PRETRAIN)/class-maps --draw semantic
	$(BIN)/sgt-data train $(PRETRAIN)/corpus --stage pretrain --questions $(PRETRAIN)/questions \
		--descriptions $(PRETRAIN)/descriptions --captions $(PRETRAIN)/pictures \
		--captions $(PRETRAIN)/class-maps --output $(PRETRAIN)/model

experiment: .venv/ready $(PRETRAIN)/model/gate.json
	$(call SCENES,$(EXPERIMENT)/sources) --images 8000
	$(BIN)/sgt-data build experiment --output $(EXPERIMENT)/corpus
	$(BIN)/sgt-data experiment scale $(EXPERIMENT)/corpus --plan scale-reduced --init $(PRETRAIN)/model \
		--captions $(EXPERIMENT)/sources/coco/$(CAPTIONS) --output $(EXPERIMENT)/scale --test

# test files run side by side, so each takes one thread for torch
test test-fast: export OMP_NUM_THREADS := 1
test: .venv/ready
	$(BIN)/python -m pytest -n $(TEST_JOBS) --dist loadfile --no-loadscope-reorder

test-fast: .venv/ready
	$(BIN)/python -m pytest -n $(TEST_JOBS) --dist loadfile --no-loadscope-reorder -m 'not slow'

# the data code of other people's trainers, in environments of its own, for tests/test_trainer_*.py;
# without it `make test` leaves these tests out
trainers: .venv/ready
	$(BIN)/python tests/trainer_code.py

# the source archive, and from it the wheel
wheel: .venv/ready
	rm -rf $(WHEEL)
	$(BIN)/python -m build --outdir $(WHEEL) .

# the demo from a wheel in an environment of its own, with the base alone, at its lower bounds
test-wheel: wheel
	$(BIN)/python tests/clean_install.py $(WHEEL)/*.whl

# each extra in an environment of its own, at the versions of constraints.txt
test-install: test-wheel
	$(BIN)/python tests/clean_install.py $(WHEEL)/*.whl --extra hub
	$(BIN)/python tests/clean_install.py $(WHEEL)/*.whl --extra s3
	$(BIN)/python tests/clean_install.py $(WHEEL)/*.whl --extra gs
	$(BIN)/python tests/clean_install.py $(WHEEL)/*.whl --extra scale
	$(BIN)/python tests/clean_install.py $(WHEEL)/*.whl --extra score
	$(BIN)/python tests/clean_install.py $(WHEEL)/*.whl --extra train
	$(BIN)/python tests/clean_install.py $(WHEEL)/*.whl --extra annotate

# for the tests that look at pages as a reader does; does nothing where there is a browser
browser:
	@command -v chromium || command -v chromium-browser || command -v google-chrome \
	|| { [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq chromium; } \
	|| { echo "Install Chromium: the tests of pages need a browser on the PATH." >&2; exit 1; }

docs: .venv/ready
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir build/site

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/ready
	$(BIN)/mypy

bench: .venv/ready
	$(BIN)/python benchmarks/label_map.py
	$(BIN)/python benchmarks/segmentation_sample.py
	$(BIN)/python benchmarks/proxies.py
	$(BIN)/python benchmarks/beside.py
	$(BIN)/python benchmarks/metric_depth.py
	$(BIN)/python benchmarks/score.py
	$(BIN)/python benchmarks/score_decoding.py
	$(BIN)/python benchmarks/score_dense.py
	$(BIN)/python benchmarks/export.py
	$(BIN)/python benchmarks/export_memory.py
	$(BIN)/python benchmarks/resample.py
	$(BIN)/python benchmarks/deflate.py
	$(BIN)/python benchmarks/palette_png.py
	$(BIN)/python benchmarks/annotators.py
	$(BIN)/python benchmarks/annotator_feed.py
	$(BIN)/python benchmarks/ray_build.py
	$(BIN)/python benchmarks/scenes.py
	$(BIN)/python benchmarks/small_builds.py
	$(BIN)/python benchmarks/full_size.py
	$(BIN)/python benchmarks/full_size_build.py
	$(BIN)/python benchmarks/full_size_coco.py
	$(BIN)/python benchmarks/view.py

# reads and writes about 10 GB in the folder of temporary files
bench-subset: .venv/ready
	$(BIN)/python benchmarks/subset.py

# the peers of the stream have an environment of their own: their pins contradict constraints.txt
.venv-peers/ready: benchmarks/peers.txt pyproject.toml
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/pip install --quiet --requirement benchmarks/peers.txt --editable .
	touch $@

bench-stream: .venv-peers/ready
	.venv-peers/bin/python benchmarks/stream.py
	.venv-peers/bin/python benchmarks/stream_start.py
	.venv-peers/bin/python benchmarks/stream_memory.py

# whole builds by other engines; each takes up to four minutes
PEER_WAYS = pool pool-full ray-data daft curator ours ours-ray
bench-peers: .venv-peers/ready
	for way in $(PEER_WAYS); do \
	  .venv-peers/bin/python benchmarks/peers.py $$way --json benchmarks/results/peers.json; \
	done
	.venv-peers/bin/python benchmarks/peers_page.py benchmarks/results/peers.json > benchmarks/peers.md


clean:
	rm -rf .venv .venv-peers .venv-trainers build $(DEMO) $(EXPERIMENT) .pytest_cache .mypy_cache .ruff_cache *.egg-info
