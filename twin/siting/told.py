"""A study's plans as plain data: plans.json."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import isnan
from typing import Any

from twin.analysis.planned import FORMAT, VERSION, scenario_digest
from twin.siting.columns import Carriers
from twin.siting.control import Outcome, members
from twin.siting.judge import Fit, Judged
from twin.siting.money import radio_cost, servers, site_cost
from twin.siting.plans import Front, Gap, Plan, best_next, first_lost, sites_of, without
from twin.siting.study import Study, place, seconds, share
from twin.siting.writing import scenario_of


@dataclass(frozen=True, slots=True)
class Answer:
    """All that was found."""

    budget: float | None
    plans: tuple[Plan, ...]
    baselines: tuple[Plan, ...]
    front: Front | None
    gaps: tuple[Gap, ...]  # where robots are lost at any budget
    whole: float | None  # the money with which nobody is lost; None where no money does that
    runs: tuple[Judged, ...] = ()  # the best first
    fit: Fit | None = None


def document(study: Study, answer: Answer, asked: str) -> dict[str, Any]:
    """Return an answer as JSON has it; `asked` is a digest of what it answers."""
    spec = study.spec
    runs = {one.plan.name: one for one in answer.runs}
    return {
        "format": FORMAT, "version": VERSION, "asked": asked, "scenario": study.scenario.description,
        "world": study.scenario.world, "duration_s": study.scenario.duration / 1e9, "currency": spec.currency,
        "years": spec.years, "budget": answer.budget, "threshold_db": study.threshold, "redundancy": spec.redundancy,
        "robots": len(study.mission.names), "candidates": _counts(study),
        "dropped": [asdict(one) for one in study.dropped],
        "nobody_lost_costs": answer.whole,
        "lost_at_any_budget": [_gap(study, gap) for gap in answer.gaps[:10]],
        "plans": [_plan(study, plan, runs.get(plan.name)) for plan in (*answer.plans, *answer.baselines)],
        "ranking": [one.plan.name for one in answer.runs],
        "fit": None if answer.fit is None else {n: _finite(v) for n, v in asdict(answer.fit).items()},
        "front": None if answer.front is None else {"cost": list(answer.front.cost),
                                                    "share": list(answer.front.share)},
    }  # fmt: skip


def _counts(study: Study) -> dict[str, int]:
    kinds = [one.kind for one in study.candidates]
    return {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}


def _plan(study: Study, plan: Plan, run: Judged | None) -> dict[str, Any]:
    further, lost = best_next(study, plan), first_lost(plan)
    return {
        "name": plan.name, "scenario_digest": scenario_digest(scenario_of(study, plan).to_toml()), "cost": plan.cost,
        "cost_parts": parts(study, plan), "proven": plan.proven,
        "spectrum": _spectrum(plan.carriers), "sites": _sites(study, plan),
        "in_control": share(study, plan.worst),
        "lost_s": {name: seconds(study, of.missed) for name, of in plan.outcomes.items()},
        "lost_robots": _lost(study, plan.worst), "first_lost": None if lost is None else _gap(study, lost),
        "busiest": {"load": plan.busiest.load, "direction": plan.busiest.direction,
                    "site": study.radios.names[plan.busiest.column] if plan.busiest.column >= 0 else None,
                    "time_s": plan.busiest.step * study.mission.step / 1e9},
        "best_next": None if further is None else {
            "radio": study.radios.names[further.column], "buys_s": seconds(study, further.steps),
            "cost": further.cost,
        },
        "runs": None if run is None else _runs(run),
    }  # fmt: skip


def _spectrum(carriers: Carriers) -> dict[str, Any]:
    return {
        name: {"frequency_hz": c.frequency, "bandwidth_hz": c.bandwidth, "pattern": c.pattern}
        for name, c in carriers.items()
    }


def _sites(study: Study, plan: Plan) -> list[dict[str, Any]]:
    missing = {one.site: one for one in without(study, plan)}
    found = []
    for site in sites_of(study, plan.chosen):
        one, gone = study.candidates[site], missing[site]
        columns = [c for c in members(plan.chosen) if study.radios.columns[c].site == site]
        found.append({
            "name": one.name, "kind": one.kind, "place": list(one.place), "stands": site < len(study.kept),
            "radios": [study.radios.names[column] for column in columns],
            "without_it_s": seconds(study, gone.steps),
            "without_it_lost": [study.mission.names[robot] for robot in gone.robots],
        })  # fmt: skip
    return found


def parts(study: Study, plan: Plan) -> dict[str, float]:
    """Return what a plan's money goes into."""
    spec, kept = study.spec, len(study.kept)
    traffic = max(spec.robust.traffic) * float(study.mission.load.sum())
    bills = [site_cost(spec, study.candidates[s], traffic) for s in sites_of(study, plan.chosen) if s >= kept]
    own = [study.radios.columns[c] for c in members(plan.chosen)]
    bills += [radio_cost(spec, column.carrier) for column in own if column.site >= kept]
    used = dict.fromkeys(column.carrier for column in own)
    found = {"servers": spec.edge.server * sum(servers(spec, study.mission).values()),
             "licence": sum(spec.carriers[n].licence * plan.carriers[n].bandwidth / 1e6 for n in used)}  # fmt: skip
    for bill in bills:
        for name, money in bill.items():
            if name != "total":
                found[name] = found.get(name, 0.0) + money
    return {name: money for name, money in found.items() if money}


def _lost(study: Study, of: Outcome) -> list[dict[str, Any]]:
    return [_gap(study, Gap(robot, step)) for robot, step in enumerate(of.lost) if step is not None]


def _gap(study: Study, gap: Gap) -> dict[str, Any]:
    return {"robot": study.mission.names[gap.robot], "time_s": gap.step * study.mission.step / 1e9,
            "place": place(study, gap.robot, gap.step)}  # fmt: skip


def _runs(run: Judged) -> dict[str, Any]:
    return {
        "seeds": list(run.seeds), "failsafe_s": [_finite(x) for x in run.failsafe],
        "tracking_max_m": [_finite(x) for x in run.tracking], "collisions": [_finite(x) for x in run.collisions],
        "answers": list(run.answers), "passed": run.passed,
    }  # fmt: skip


def _finite(value: float) -> float | None:
    return None if isnan(value) else value
