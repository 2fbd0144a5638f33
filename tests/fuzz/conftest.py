"""The seed of the day, printed, so that what it found can be tried again."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from fuzzing.harness import today  # noqa: E402


def pytest_report_header():
    return f"fuzzing: seed {today()} (TWIN_FUZZ_SEED)"
