"""`twin.sweep`: many runs from Python, as a table."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twin.extras import needed
from twin.specs.toml_text import validate
from twin.studies.cluster import Cluster
from twin.studies.plan import Plan
from twin.studies.pool import Pool
from twin.studies.sweep import plan_runs

if TYPE_CHECKING:
    from pandas import DataFrame


def sweep(
    scenario: str | Path,
    changes: Mapping[str, Any] = {},
    *,
    grid: Mapping[str, Sequence[Any]] = {},
    seeds: str | Sequence[int] = (1,),
    jobs: int = 1,
    cluster: str | None = None,
    folder: str | Path | None = None,
    **more: Any,
) -> DataFrame:
    """Run a scenario with every value of `grid` and every seed; return one row a run, SI.

    `more` are the other tables of a sweep.toml: `range`, `design`, `record`, `limits`. With `folder`, runs that are
    there already are not repeated; without, rows last as long as the table does. `cluster` is the address of a Dask
    scheduler, `local` or a cluster.toml.

    Raises:
        ScenarioError: the plan or one of its scenarios is wrong.
        RunError: a run killed its process again and again.
    """
    with needed("pandas", "pandas"):
        import pandas
    given = {"scenario": str(scenario), "set": dict(changes), "grid": dict(grid), "seeds": seeds, **more}
    plan = validate(Plan, given, file="twin.sweep")
    with tempfile.TemporaryDirectory(prefix="twin-sweep-") as place:
        made = plan_runs(plan, Path(folder or place))
        made.store.begin(plan)
        with Pool(jobs) if cluster is None else Cluster(cluster, jobs) as pool:
            made.run(pool)
        return pandas.DataFrame(made.table())
