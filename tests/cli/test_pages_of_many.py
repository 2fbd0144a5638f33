"""Reports and evidence of many runs: what a study shows stands in both, with its pictures, and can be checked."""

import json
from pathlib import Path

import jsonschema
import pytest

from twin.analysis.held import document, keep
from twin.specs.toml_text import validate
from twin.studies.findings import keep_finding
from twin.studies.logistic import find_likely
from twin.studies.plan import Plan, parted
from twin.studies.splitting import Leaf
from twin.studies.store import Store
from twin.studies.sweep import plan_runs

ROOT = Path(__file__).resolve().parents[2]
HEIGHT = ROOT / "tests/project/worlds/void/scenarios/height.toml"
TEXT = "rtt_p50 < 50 ms"


def published(name, nominal=False, **tables):
    """A sweep whose round trips are the delay and a thousandth of the seed, as if it had been run."""
    plan = validate(Plan, {"scenario": str(HEIGHT), "set": {"network.kind": "fixed", "requirements": [TEXT]}, **tables})
    sweep = plan_runs(plan, Path("sweeps") / name)
    sweep.store.begin(plan)
    plain = plan_runs(plan.model_copy(update={"range": {}}), sweep.store.folder).runs if nominal else []
    for run in [*sweep.runs, *plain]:
        rtt = (parted(run.point.values.get("network.delay", "0 ms"))[0] or 0.0) / 1000 + 1e-3 * run.point.seed
        answer = "passed" if rtt < 0.05 else "failed"
        sweep.store.publish({"id": run.name, "point": run.point.values, "seed": run.point.seed, "status": "complete",
                             "error": "", "answer": answer, "figures": {"rtt_p50": rtt}, "requirements": {TEXT: answer},
                             "margins": {TEXT: 1 - rtt / 0.05}})  # fmt: skip
    return sweep


@pytest.fixture
def studies():
    """Folders of a grid, of ranges, and of a margin, a margin of chance and a rare event."""
    published("grid", grid={"network.delay": ["20 ms", "90 ms"]}, seeds="1:4")
    published("spread", nominal=True, design="lhs:30",
              range={"network.delay": ["0 ms", "100 ms"], "network.loss": [0, 0.5]})  # fmt: skip
    folder = Path("sweeps/one")
    seen = {20.0: 0.6, 60.0: -0.2, 50.0: -1e-9}
    origins = {"world": "", "sources": "", "plugins": {}, "inputs": {}}
    keep(folder, document("a = 1", ("network.delay", "ms"), [1, 2], origins, {TEXT: (20.0, 50.0)}, seen))
    likely = find_likely(lambda xs: [x > 0.4 for x in xs], 0.0, 1.0, 0.05, 40)
    plain = {name: getattr(likely, name) for name in likely.__slots__}
    plain["interval"] = {"lower": likely.interval.lower, "upper": likely.interval.upper}
    keep_finding(folder, "margin-of-chance", "a fall",
                 {"key": "network.loss", "unit": "", "probability": 0.05, "requirements": [TEXT]}, plain)  # fmt: skip
    leaves = [Leaf(0.5, True, 3.0, 1.0, 10, 3 * 10**9), Leaf(0.5, False, 1.0, 1.0, 5, 4 * 10**9, ((10**9, 7),))]
    row = {"id": "0" * 20, "status": "complete", "error": "", "leaves": [leaf.as_dict() for leaf in leaves]}
    Store(folder).publish(row)
    keep_finding(
        folder, "rare", "a fall",
        {"event": "tracking_max > 2 m", "importance": "age", "copies": 2, "levels": [0.5], "trees": ["0" * 20]},
        {"probability": 0.012, "interval": {"lower": 0.008, "upper": 0.016}, "confidence": 0.95, "trees": 100,
         "rooted": 31, "unfinished": 0, "steps": 9.0, "gain": 3.1,
         "worst": [{"seed": 1, "value": 3.0, "end": 3.0, "lineage": [[10**9, 7]], "recording": "x.h5"}]},
    )  # fmt: skip


def body(name):
    return Path(name).read_text().partition("<body>")[2].partition("<script")[0]


def test_a_report_of_a_study_has_what_it_found_and_its_pictures(command, studies):
    for name, pictures, said in (
        ("grid", 2, [TEXT, "? inconclusive", "violated in 4 of 4", "Which is better: network.delay", "+70.0 ms"]),
        ("sweeps/spread", 2, ["What figures hang on", "another at 15 of 30 points: 50 %", "share of whether it flips"]),
        ("one", 3, ["How far network.delay can go", "holds up to 20 ms one way (network.delay), breaks at 50 ms",
                    "Where runs begin to break: network.loss", "probability 0.012, 0.008 to 0.016 at 95 %",
                    "100, 31 with a hit", "x.h5"]),
    ):  # fmt: skip
        code, out, err = command("report", name, "-o", f"{Path(name).name}.html")
        page = body(f"{Path(name).name}.html")
        assert code == 0, err
        assert page.count("<svg") == pictures and "http" not in page.replace("http://www.w3.org", "")
        assert [text for text in said if text.replace("<", "&lt;").replace(">", "&gt;") not in page] == []
    code, out, err = command("report", "grid", "-o", "grid.html")
    assert code == 1 and "exists" in err
    code, out, err = command("report", str(ROOT / "docs"), "-o", "none.html")
    assert code == 2 and "found no sweep, margin or rare event" in " ".join(err.split())


def test_evidence_of_studies_is_signed_with_pictures_and_names_what_was_changed(command, studies, monkeypatch):
    pytest.importorskip("cryptography")
    pytest.importorskip("fpdf")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(Path.cwd() / "config"))
    assert command("evidence", "keygen", "Ada")[0] == 0
    for name, which in (("case.json", ("grid", "spread", "one")), ("case.html", ("grid",)), ("case.pdf", ("grid",))):
        code, out, err = command("evidence", *which, "-o", name)
        assert code == 5, err
    case = json.loads(Path("case.json").read_text())
    jsonschema.Draft202012Validator(json.loads(command("evidence", "schema")[1])).validate(case)
    assert [(study["name"], study["answer"]) for study in case["studies"]] == [
        ("sweeps/grid", "failed"), ("sweeps/spread", None), ("sweeps/one", None)]  # fmt: skip
    assert case["runs"] == [] and "Network" in case["limits"] and "twin sweep sweeps/grid" in case["repeat"]
    assert body("case.html").count("<svg") == 2 and "What many runs show" in body("case.html")

    def states(file):
        code, out, err = command("evidence", "verify", file, "--key", "config/twin/evidence.pub", "--json")
        return code, {one["what"]: one["state"] for one in json.loads(out)["findings"]}

    for ending, studied in (("json", 3), ("html", 1), ("pdf", 1)):
        code, found = states(f"case.{ending}")
        assert code == 0 and set(found.values()) == {"good"}
        assert len([what for what in found if what.startswith("what is said of sweeps/")]) == studied
    row = next(Path("sweeps/grid/runs").glob("*/*.json"))
    row.write_text(row.read_text().replace("complete", "stopped"))
    code, found = states("case.json")
    assert code == 4 and found["rows of sweeps/grid"] == "changed" and found["rows of sweeps/one"] == "good"
    for row in Path("sweeps/grid/runs").glob("*/*.json"):
        row.unlink()
    code, out, err = command("evidence", "one", "-o", "nothing.json")
    assert code == 1 and "nothing was asked" in " ".join(err.split())
    code, out, err = command("report", "grid", "-o", "empty.html")
    assert code == 1 and "there is nothing to show: no run is done" in " ".join(err.split())


@pytest.mark.parametrize("file", ["sweeps/one/margins/0.json", "sweeps/one/findings/0.json"])
def test_a_damaged_file_is_named(command, studies, file):
    Path(file).write_text("{")
    code, out, err = command("report", "one", "-o", "one.html")
    assert code == 1 and f"{file}: can't be read" in " ".join(err.split())
