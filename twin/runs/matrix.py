"""What a network can't do: scenarios over several networks, and which requirement's answer changes with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from twin.analysis.verdicts import answer_of, line, overall_of
from twin.assembly.build import build
from twin.errors import ScenarioError, TwinError
from twin.network.nr.bandwidth import FR2_START
from twin.project.project import Project, find_scenario
from twin.runs.run import Stopped, run
from twin.specs import NetworkSpec, NrSpec
from twin.specs.nr import CarrierSpec
from twin.specs.presets import PRESETS
from twin.specs.scenario import Scenario, load_scenario
from twin.specs.toml_text import read_toml
from twin.units import duration_text, parse_quantity


@dataclass(frozen=True, slots=True)
class Cell:
    """One scenario over one network."""

    answer: str  # passed, failed, inconclusive, or refused where it can't be run
    answers: Mapping[str, str]  # requirement -> its answer
    values: Mapping[str, str]  # requirement -> value as people read it
    reason: str = ""  # why it was refused, or ended early


@dataclass(frozen=True, slots=True)
class Row:
    """One scenario over all networks."""

    scenario: str
    cells: Mapping[str, Cell]  # network -> what came of it

    @property
    def flips(self) -> list[str]:
        """Requirements that have different answers over different networks."""
        ran = [cell for cell in self.cells.values() if cell.answer != "refused"]
        texts = dict.fromkeys(text for cell in ran for text in cell.answers)
        return [text for text in texts if len({cell.answers.get(text) for cell in ran}) > 1]


def over_preset(scenario: Scenario, name: str) -> dict[str, Any]:
    """Return a scenario's network with each of its carriers as the preset has it, at its own frequency.

    A preset of one range of frequencies is its sibling in the other range; one without a sibling keeps subcarrier
    spacing, bandwidth and processing capability of a carrier that it isn't made for. A network of another kind becomes
    one of slots, with one carrier at 3.5 GHz.
    """
    network = scenario.network
    if not isinstance(network, NrSpec):
        carrier = _carrier(CarrierSpec(), name)
        return {"kind": "nr", "delay_budget": duration_text(network.delay_budget), "carriers": {name: carrier}}
    carriers = {one: _carrier(spec, name) for one, spec in network.carriers.items()}
    stated = network.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    return {**stated, "kind": "nr", "carriers": carriers}


def _carrier(spec: CarrierSpec, name: str) -> dict[str, Any]:
    """Return the settings of a carrier by a preset, in the range that its frequency lies in."""
    settings, found = PRESETS[name].settings, {"preset": name, "frequency": spec.frequency}
    own = float(parse_quantity(settings.get("frequency", "3.5 GHz"), "frequency"))
    high = spec.frequency >= FR2_START
    if high == (own >= FR2_START) or "resource_blocks" in settings:
        return found
    sibling = name.replace("fr1", "fr2") if high else name.replace("fr2", "fr1")
    kept = {"scs": spec.scs, "bandwidth": spec.bandwidth, "capability": spec.capability}
    return found | (kept if sibling == name else {"preset": sibling})


def network_of(file: Path) -> dict[str, Any]:
    """Return the `[network]` table of a file.

    Raises:
        ScenarioError: the file has none, or it is no network.
    """
    data, _ = read_toml(file)
    if not isinstance(data.get("network"), dict):
        raise ScenarioError("missing; allowed: a file with this table", file=file, key="[network]")
    table: dict[str, Any] = data["network"]
    return table


def matrix(
    scenarios: Sequence[str],
    networks: Mapping[str, dict[str, Any] | None],
    overrides: Sequence[str] = (),
    told: Callable[[str], None] = lambda text: None,
) -> list[Row]:
    """Run each scenario over each network, one after another, without a recording; None for one means its preset.

    Raises:
        ScenarioError: there is no such scenario, or a network's table is wrong.
    """
    loaded = []
    for reference in scenarios:
        project, path = find_scenario(reference)
        scenario, _ = load_scenario(path, overrides)
        specs = {name: _spec(name, table or over_preset(scenario, name)) for name, table in networks.items()}
        loaded.append((reference, project, scenario, specs))
    return [_row(*one, told) for one in loaded]


def _spec(name: str, table: dict[str, Any]) -> NetworkSpec:
    adapter: TypeAdapter[NetworkSpec] = TypeAdapter(NetworkSpec)
    try:
        return adapter.validate_python(table)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ScenarioError(f"network {name}: {place}: {first['msg']}") from error


def _row(
    reference: str,
    project: Project,
    scenario: Scenario,
    specs: Mapping[str, NetworkSpec],
    told: Callable[[str], None],
) -> Row:
    cells = {}
    for name, spec in specs.items():
        told(f"{reference} over {name}")
        changed = scenario.model_copy(update={"network": spec})
        try:
            outcome = run(build(changed, project), changed)
        except TwinError as error:
            cells[name] = Cell("refused", {}, {}, str(error))
            continue
        if isinstance(outcome.error, Stopped):
            raise outcome.error
        verdicts = outcome.summary["requirements"]
        cells[name] = Cell(
            overall_of(outcome.summary) or "nothing asked",
            {one["requirement"]: answer_of(one) for one in verdicts},
            {one["requirement"]: line(one).value for one in verdicts},
            "" if outcome.error is None else str(outcome.error),
        )
    return Row(reference, cells)


def as_markdown(rows: Sequence[Row]) -> str:
    """Return a table: a row per scenario, a column per network, and what flips with its values."""
    networks = list(dict.fromkeys(name for row in rows for name in row.cells))
    head = f"| scenario | {' | '.join(networks)} | what flips |\n|{'---|' * (len(networks) + 2)}\n"
    lines = []
    for row in rows:
        flips = [f"`{text}`: {_values(row, text, networks)}" for text in row.flips]
        answers = [row.cells[name].answer for name in networks]
        lines.append(f"| `{row.scenario}` | {' | '.join(answers)} | {'; '.join(flips) or 'nothing'} |\n")
    return head + "".join(lines)


def _values(row: Row, text: str, networks: Sequence[str]) -> str:
    cells = [row.cells[name] for name in networks]
    return ", ".join(cell.values.get(text, cell.answer) for cell in cells)
