import pytest

from twin.errors import ScenarioError
from twin.specs.toml_text import validate
from twin.studies.plan import Plan, overrides, read_plan


def plan(**tables):
    return validate(Plan, {"scenario": "city/patrol", **tables})


def test_every_value_with_every_seed_in_a_fixed_order():
    made = plan(grid={"a": [1, 2], "b": ["x", "y"]}, seeds="3:4")
    found = [(*point.values.values(), point.seed) for point in made.points()]
    assert len(found) == made.size == 8
    assert found[:3] == [(1, "x", 3), (1, "x", 4), (1, "y", 3)]


@pytest.mark.parametrize("design", ["lhs:16", "sobol:16"])
def test_samples_fill_a_range_evenly_and_are_the_same_each_time(design):
    """One sample in each of 16 equal parts, in every dimension: what a Latin hypercube and Sobol's net both promise."""
    made = plan(range={"network.delay": ["10 ms", "170 ms"], "network.loss": [0, 0.16]}, design=design)
    points = [point.values for point in made.points()]
    delays = [float(point["network.delay"].removesuffix(" ms")) for point in points]
    assert sorted(int((delay - 10) / 10) for delay in delays) == list(range(16))
    assert sorted(int(point["network.loss"] / 0.01) for point in points) == list(range(16))
    assert points == [point.values for point in made.points()]


def test_kinds_come_first_and_a_plan_reads_back(tmp_path):
    made = plan(set={"network.delay": "1 ms", "network.kind": "fixed"}, grid={"x": [1]}, limits={"wall": "5 s"})
    (point,) = made.points()
    assert overrides(made, point)[0] == ("network.kind", "fixed")
    (tmp_path / "plan.toml").write_text(made.to_toml())
    assert read_plan(tmp_path / "plan.toml") == made


def test_changes_of_a_file_leave_the_rest_of_its_tables(tmp_path):
    file = tmp_path / "sweep.toml"
    file.write_text('scenario = "x"\nseeds = "1:9"\n[set]\na = 1\nb = 2\n[limits]\nwall = "3 s"\n')
    made = read_plan(file, {"set": {"b": 3}, "seeds": "1:2"})
    assert made.set == {"a": 1, "b": 3} and made.seeds == "1:2" and made.limits.wall == 3 * 10**9


def test_a_huge_sweep_is_counted_without_being_made():
    assert plan(grid={key: list(range(1000)) for key in "abc"}).size == 10**9
    assert plan(seeds="1:1000000000").size == plan(range={"a": [0, 1]}, design="lhs:1000000000").size == 10**9


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ({"design": "grid:3"}, "design: found 'grid:3'; allowed: lhs:N, sobol:N or saltelli:N"),
        ({"seeds": "1-3"}, "seeds: found '1-3'; allowed: FIRST:LAST"),
        ({"seeds": "3:1"}, "the first seed, then the last"),
        ({"seeds": f"1:{10**13}"}, "1,000,000,000,000 seeds at most"),
        ({"grid": {"a": []}}, "grid.a: found no value"),
        ({"range": {"a": ["1 ms", "2 s"]}}, "range.a: found 1 ms to 2 s; allowed: two numbers of one unit"),
        ({"range": {"a": [1, 2]}, "grid": {"a": [1]}}, "range.a: is in the grid as well"),
        ({"grids": {}}, "did you mean 'grid'?"),
    ],
)
def test_what_is_wrong_is_said(tables, said):
    with pytest.raises(ScenarioError) as error:
        plan(**tables)
    assert said in str(error.value)
