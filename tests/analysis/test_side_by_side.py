"""Runs side by side: what differs is told, and seeds are paired."""

from pathlib import Path
from types import SimpleNamespace

from twin.analysis.side_by_side import side_by_side


def run(name, seed, delay, rtt, answer="passed", complete=True):
    text = f'seed = {seed}\n[network]\nkind = "fixed"\ndelay = "{delay} ms"\n'
    verdicts = [{"requirement": "rtt_p50 < 1 s", "answer": answer, "passed": answer == "passed", "operator": "<",
                 "limit": 1.0, "margin": 1.0 - rtt}]  # fmt: skip
    summary = {"rtt_p50": rtt, "collisions": 0, "requirements": verdicts, "answer": answer, "passed": True}
    return SimpleNamespace(path=Path(f"{name}.h5"), scenario_text=text, summary=summary, complete=complete)


def rows(part):
    return {row.label: row.cells for row in part}


def test_two_runs_show_what_was_set_and_what_came_of_it():
    table = side_by_side([run("a", 1, 20, 0.04), run("b", 1, 60, 0.12, "failed")])
    assert table.columns == ("a", "b")
    assert rows(table.settings) == {"network.delay": ("20 ms", "60 ms")}
    assert rows(table.figures)["round trip p50"] == ("40.0 ms", "120.0 ms")
    assert rows(table.verdicts)["verdict"] == ("passed", "failed")
    assert [row.label for row in table.figures if not row.differs] == ["collisions"]


def test_seeds_are_paired_and_bounded_by_students_t():
    """Differences of 1, 2 and 3 ms: mean 2 ms, deviation 1 ms, half-width 4.302653 / sqrt(3) ms (t of 2 degrees)."""
    first = [run(f"a{seed}", seed, 20, 0.040 + 0.01 * seed) for seed in (1, 2, 3)]
    second = [run(f"b{seed}", seed, 60, 0.040 + 0.01 * seed + 0.001 * seed) for seed in (3, 2, 1)]
    table = side_by_side([*first, *second])
    assert table.columns == ("a1 and 2 more", "b3 and 2 more", "difference, 3 seeds")
    assert rows(table.figures)["round trip p50"] == ("60.0 ms", "62.0 ms", "+2.0 ms ± 2.5 ms, 3 : 0 (by chance 0.25)")
    assert rows(table.settings) == {"network.delay": ("20 ms", "60 ms", "")}


def test_verdicts_of_two_settings_are_weighed_pair_by_pair():
    first = [run(f"a{seed}", seed, 20, 0.04) for seed in range(1, 6)]
    second = [run(f"b{seed}", seed, 60, 0.12, "failed") for seed in range(1, 6)]
    table = side_by_side([*first, *second])
    assert rows(table.verdicts)["rtt_p50 < 1 s"] == ("passed", "failed", "5 : 0 passed alone (by chance 0.062)")


def test_a_run_that_was_cut_short_has_passed_nothing():
    first = [run(f"a{seed}", seed, 20, 0.04, complete=seed > 2) for seed in range(1, 6)]
    second = [run(f"b{seed}", seed, 60, 0.12) for seed in range(1, 6)]
    for label in ("verdict", "rtt_p50 < 1 s"):
        cells = rows(side_by_side([*first, *second]).verdicts)[label]
        assert cells[2] == "0 : 2 passed alone (by chance 0.5)"


def test_runs_that_differ_in_their_seed_alone_stay_apart():
    table = side_by_side([run("a", 1, 20, 0.04), run("a", 2, 20, 0.05, "inconclusive")])
    assert table.columns == ("a (1)", "a (2)") and rows(table.settings) == {"seed": ("1", "2")}
