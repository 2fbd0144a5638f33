"""A task's own figures land in the summary, combined over groups, and requirements may name them."""

from twin.analysis.measure import Measures
from twin.analysis.metrics import Metrics
from twin.analysis.requirements import judged
from twin.specs.figures import FIGURES, Figure
from twin.specs.requirement import parse_requirement
from twin.state import NOMINAL, Event, Frame, Node


class Count:
    """Counts events of its group."""

    def __init__(self, group):
        self.group, self.count, self.time = group, 0, 0

    def take(self, frame):
        self.count += sum(event.robot == self.group for event in frame.events)
        self.time = frame.time

    def figures(self):
        return {"hits": self.count, "longest": self.time / 1e9 + self.count, "gone": None}


class Job:
    """A task without a course."""

    def judge(self, group, nodes):
        return Count(group)


def test_figures_of_tasks_are_combined_and_kept_group_by_group(monkeypatch):
    for name, figure in {"hits": Figure("hits"), "longest": Figure("longest", "time", "s", combine=max),
                         "gone": Figure("gone", "time", "s", absent="nothing went")}.items():  # fmt: skip
        monkeypatch.setitem(FIGURES, name, figure)
    nodes = [Node("a", "a", "arm", 0), Node("b", "b", "arm", 1)]
    metrics = Metrics(nodes, {"a": Job(), "b": Job()}, 0)
    for tick in range(3):
        events = [Event(tick, "hit", "b")] * tick
        metrics.take(Frame(tick * 10**9, None, None, {}, (NOMINAL, NOMINAL), events=events))
    summary = metrics.summary()
    assert (summary["hits"], summary["longest"], summary["gone"]) == (3, 5.0, None)
    assert summary["tasks"] == {"a": {"hits": 0, "longest": 2.0, "gone": None},
                                "b": {"hits": 3, "longest": 5.0, "gone": None}}  # fmt: skip
    assert summary["tracking_rms"] is None, "a task without a course has no tracking error"
    verdict = judged([parse_requirement(text) for text in ("hits <= 3", "longest < 5 s", "gone < 1 s")],
                     Measures(summary), complete=True)  # fmt: skip
    assert [v["answer"] for v in verdict["requirements"]] == ["passed", "failed", "inconclusive"]
    assert verdict["requirements"][2]["reason"] == "nothing measured: nothing went"
