# Recipes for work on twin itself; `just` alone lists them.

bin := justfile_directory() / ".venv/bin"

default:
    @just --list

# Make the environment, and compile what a traced run over 5G needs
setup python="python3.11":
    {{ python }} -m venv .venv
    {{ bin }}/pip install -c constraints.txt -e '.[test]'
    {{ bin }}/twin warmup

# Style, types and who may import whom
lint:
    {{ bin }}/ruff check .
    {{ bin }}/mypy twin agents
    {{ bin }}/lint-imports

# The tests, or some of them: just test tests/laws
test *arguments:
    {{ bin }}/pytest -n 2 {{ arguments }}

# Where a simulated second goes; the other benchmarks are in benchmarks/
bench *arguments:
    {{ bin }}/python benchmarks/whole.py {{ arguments }}

# Random changes to scenarios, worlds, robots, meshes, plans, tables: each refused in words or run, within limits
fuzz count="10000" *options:
    {{ bin }}/python tests/fuzz/run.py {{ count }} {{ options }}

# Splitting against 250,000 plain runs of a stand-in: some minutes
splitting:
    TWIN_LONG=1 {{ bin }}/pytest -s tests/studies/test_splitting.py -k quarter

# Kill workers, schedulers, clients, templates and runs of a sweep at random moments, and go on: just chaos 10
chaos rounds="5" seed="1":
    TWIN_CHAOS={{ rounds }} TWIN_CHAOS_SEED={{ seed }} {{ bin }}/pytest -s tests/studies/test_cluster.py -k killed

# A fork and a run that draws anew are exact over every network, channel and world: minutes
forks *options:
    TWIN_LONG=1 {{ bin }}/pytest tests/laws/test_reseed.py -k every_network {{ options }}

# What pairs of runs that share their draws are worth: a minute
pairs:
    TWIN_LONG=1 {{ bin }}/pytest -s tests/studies/test_pairs.py

# The page on many runs at full length: its commands say what stands below them; some minutes
docs-whole:
    TWIN_LONG=1 {{ bin }}/pytest -s tests/test_docs.py -k many-runs

# A rare event of a short flight by 3,000 plain runs and by trees, into a folder; a second call goes on: minutes
rare folder="dist/rare" runs="3000" trees="450":
    {{ bin }}/python benchmarks/rare.py {{ folder }} {{ runs }} {{ trees }}

# 1,000 flights of two seconds by a pool and by Dask's processes: the same table byte for byte; minutes
thousand folder="dist/thousand" runs="1000":
    {{ bin }}/python benchmarks/thousand.py {{ folder }} {{ runs }}

# CPU time of a run in a sweep beside its simulation
overhead *scenarios="city/patrol city/patrol:network.kind=fixed,channel.kind=freespace":
    {{ bin }}/python benchmarks/overhead.py {{ scenarios }}

# What each preset of carriers can do, into docs/presets.md; some scenarios alone: just presets factory/line
presets *scenarios:
    {{ bin }}/python benchmarks/presets.py docs/presets.md {{ scenarios }}

# A run: just run city/patrol
run scenario *arguments:
    {{ bin }}/twin run {{ scenario }} {{ arguments }}

# The site of docs/, API reference included, into dist/site; `just docs serve` shows it while you write
docs command="build":
    NO_MKDOCS_2_WARNING=1 {{ bin }}/python -m mkdocs {{ command }} --strict

# Run the notebooks of examples/ again, so that they show what the code does now
notebooks:
    cd examples && {{ bin }}/jupyter execute --inplace *.ipynb; rm -f patrol.html

# Build sdist and wheel into dist/, and try the wheel in an empty environment
release:
    rm -rf dist/*.whl dist/*.tar.gz
    {{ bin }}/python -m build
    .ci/try-wheel dist/*.whl

# All that a change has to pass
ci:
    .ci/run

# Paths of the ray tracer against those of sionna-rt, which is installed into an environment of its own
bench-sionna venv=(justfile_directory() / ".venv-sionna"):
    test -x {{ venv }}/bin/python || (python3 -m venv {{ venv }} && {{ venv }}/bin/pip install sionna-rt)
    SIONNA_PYTHON={{ venv }}/bin/python \
    SIONNA_SCENES="$({{ venv }}/bin/python -c 'import importlib.util, pathlib; print(pathlib.Path(importlib.util.find_spec("sionna.rt").origin).parent / "scenes")')" \
    {{ bin }}/python benchmarks/against_sionna.py
