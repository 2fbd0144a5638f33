# Recipes for work on twin itself; `just` alone lists them.

bin := justfile_directory() / ".venv/bin"

default:
    @just --list

# Make the environment
setup python="python3.11":
    {{ python }} -m venv .venv
    {{ bin }}/pip install -c constraints.txt -e '.[test]'

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

# A run: just run city/patrol
run scenario *arguments:
    {{ bin }}/twin run {{ scenario }} {{ arguments }}

# All that a change has to pass
ci:
    .ci/run
