# make demo, make test: each sets up all that it needs, then runs. Later calls reuse the environment.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed
SUITES ?= suites/standard.toml suites/further.toml suites/downstream.toml

.PHONY: demo test bench check format leaderboard records clean

demo: $(READY)
	$(BIN)/bench run --method latent_flow --method random --dataset cms --jobs 2 --results .demo/results
	$(BIN)/bench leaderboard --results .demo/results --output .demo/leaderboard.md
	@echo "The leaderboard of this run is in .demo/leaderboard.md; 'bench' itself is $(BIN)/bench."

test: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile $(ARGS)

bench: $(READY)
	$(BIN)/python -m pytest tests/benchmarks --benchmark-enable --benchmark-only $(ARGS)

check: $(READY)
	$(BIN)/ruff check
	$(BIN)/mypy

leaderboard: $(READY)
	$(BIN)/bench leaderboard --picture docs/leaderboard.svg --curves docs/downstream.svg

# The committed records: hours of work, which resume where they were stopped.
records: $(READY)
	for suite in $(SUITES); do $(BIN)/bench run --suite $$suite || exit; done

$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch==2.13.0
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-deps escnn
	touch $@

clean:
	rm -rf $(VENV) .demo .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks *.egg-info
