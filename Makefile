# make demo    everything at scale smoke on embedded data: minutes, internet only for packages
# make test    every check and test
# make test-slurm   the pipeline and its faults on a real SLURM of two nodes, started here
# make quick   the experiments on the real data sets; the same as `snakemake`
# make bench   our models compared with peers and the machine's limit (docs/performance.md)
# make test-gpu, make bench-gpu   the fast path for GPUs, on a machine with a GPU (docs/gpu.md)
# make site    the documentation as pages, in site/
# make release  the trained models of a run in one archive, for other machines (RUN=quick)
# make plan    models, images, hours and disk that are left, from measured steps (SCALE=quick CONFIG=mine.yaml)
# make cost    the same of scale paper

PYTHON ?= python3
RUN ?= quick
BIN := .venv/bin
DEMO := --config scale=smoke data=embedded run=smoke-embedded
DEMO_RESULTS := results/smoke-embedded
TEX_PACKAGES := $(shell cat paper/debian-packages.txt)

# A process per processor, four at most.
PARALLEL := --numprocesses=logical --maxprocesses=4 --no-loadscope-reorder

# Installs Debian packages as root or with sudo without a password; fails otherwise.
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo -n)
install = command -v apt-get > /dev/null && $(SUDO) apt-get update -q \
  && $(SUDO) apt-get install -y -q --no-install-recommends $(1)

.PHONY: demo quick test pytest test-slurm test-gpu lint docs site format setup tex browser slurm \
  bench bench-gpu plan cost release clean

demo: setup tex
	$(BIN)/snakemake $(DEMO) --quiet host reason
	$(BIN)/snakemake $(DEMO) --quiet all --report $(DEMO_RESULTS)/report.html
	@cat $(DEMO_RESULTS)/verdicts.txt
	@echo
	@for file in index.html paper.pdf report.html ""; do \
	  test ! -e $(DEMO_RESULTS)/$$file || echo "$(DEMO_RESULTS)/$$file"; done

quick: setup tex
	$(BIN)/snakemake --quiet host reason

test: lint pytest

pytest: setup tex browser .venv/site-installed
	$(BIN)/python -m pytest $(PARALLEL)

test-slurm: setup tex slurm
	$(BIN)/python -m pytest tests/slurm

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check workflow
	$(BIN)/codespell README.md CHANGELOG.md CONTRIBUTING.md config docs paper workflow
	$(BIN)/zizmor --offline --quiet --strict-collection .github
	$(BIN)/snakemake --lint

docs: setup
	$(BIN)/python -m tools.config_readme
	$(BIN)/python -m tools.config_schema

site: .venv/site-installed
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build
	@echo site/index.html

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt workflow

setup: .venv/installed

.venv/installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2> /dev/null || { $(call install,python3-venv); } \
	  || { echo "$(PYTHON) has no venv: sudo apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

.venv/site-installed: docs/requirements.txt .venv/installed
	$(BIN)/pip install --quiet --disable-pip-version-check -r docs/requirements.txt
	@touch $@

tex:
	@command -v latexmk > /dev/null || command -v tectonic > /dev/null \
	  || { $(call install,$(TEX_PACKAGES)); } \
	  || echo "No TeX: sudo apt-get install $(TEX_PACKAGES); everything but the PDF is built."

browser:
	@command -v chromedriver > /dev/null || { $(call install,chromium chromium-driver); } \
	  || echo "No browser for the report's test: sudo apt-get install chromium chromium-driver"

slurm: setup
	$(BIN)/pip install --quiet --disable-pip-version-check -r profiles/slurm/requirements.txt
	@command -v sbatch > /dev/null || { $(call install,slurm-wlm munge); } \
	  || { echo "No SLURM to test with: sudo apt-get install slurm-wlm munge"; exit 1; }

bench: setup
	$(BIN)/pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt
	$(BIN)/python -m benchmarks.bench

# These two need no set-up of ours: an NVIDIA GPU, a C compiler, and a Python with PyTorch,
# Triton, pandas, pyarrow, Pillow and PyYAML; test-gpu pytest, bench-gpu normflows as well.
test-gpu:
	PYTHONPATH=workflow $(PYTHON) -m pytest tests/gpu \
	  $$($(PYTHON) -c 'import xdist; print("-n 6 -p no:benchmark")' 2> /dev/null)

bench-gpu:
	PYTHONPATH=workflow:. $(PYTHON) -m benchmarks.bench_gpu

plan: setup
	$(BIN)/python -m benchmarks.cost $(SCALE) $(if $(CONFIG),--configfile $(CONFIG))

cost: setup
	$(BIN)/python -m benchmarks.cost $(or $(SCALE),paper)

release: setup
	@$(BIN)/python -m tools.release results/$(RUN)

clean:
	rm -rf results resources site .snakemake
