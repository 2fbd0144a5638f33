"""A response surface shows what a sweep varied, and says what it can't show."""

import numpy as np
import pytest

from twin.errors import ScenarioError
from twin.studies.surface import axes_of, draw_surface

TEXT = "rtt_p50 < 80 ms"


def rows(*keys, seeds=2, text=TEXT):
    """Runs at values of keys: a round trip of twice the first, and a millisecond a seed."""
    points = np.stack(np.meshgrid(*[np.linspace(10.0, 60.0, 6)] * len(keys)), axis=-1).reshape(-1, len(keys))
    return [
        {"point": {key: f"{x} ms" for key, x in zip(keys, point, strict=True)}, "seed": seed, "status": "complete",
         "figures": {"rtt_p50": 2e-3 * point[0] + 1e-3 * seed}, "requirements": {text: "passed"}}
        for point in points.tolist() for seed in range(seeds)
    ]  # fmt: skip


def test_axes_are_numbers_of_one_unit_that_differ():
    found = rows("a", "b")
    for row in found:
        row["point"] |= {"kind": "x", "same": "3 m"}
    assert [(one.key, one.unit, one.values.min()) for one in axes_of(found)] == [("a", "ms", 10.0), ("b", "ms", 10.0)]


def test_one_key_is_a_curve_with_its_limit():
    (axes,) = draw_surface(rows("a")).axes
    dots, mean, limit = axes.lines
    all_runs = [2 * x + seed for x in range(10, 61, 10) for seed in (0, 1)]
    assert sorted(dots.get_ydata()) == pytest.approx(all_runs)
    assert list(mean.get_ydata()) == pytest.approx([2 * x + 0.5 for x in range(10, 61, 10)])
    assert set(limit.get_ydata()) == {80.0} and axes.get_xlabel() == "a [ms]" and "[ms]" in axes.get_title(loc="left")


def test_two_keys_are_a_plane_with_the_line_of_its_limit():
    """80 ms are met at 39.75 ms of the first key, whatever the second is."""
    axes = draw_surface(rows("a", "b")).axes[0]
    border = axes.collections[1].get_paths()[0].vertices
    assert border[:, 0] == pytest.approx(39.75) and np.ptp(border[:, 1]) == pytest.approx(50.0)


def test_what_has_no_surface_is_said():
    with pytest.raises(ScenarioError, match="varied no number"):
        draw_surface([{**row, "point": {}} for row in rows("a")])
    with pytest.raises(ScenarioError, match="asks for a figure"):
        draw_surface(rows("a", text="flows.command.reliability >= 99 % within 45 ms"))
