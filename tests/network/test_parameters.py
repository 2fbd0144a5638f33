"""docs/network.md names every parameter of the radio network."""

import re
from pathlib import Path

import pytest

from twin.specs import nr as specs

PAGE = (Path(__file__).resolve().parents[2] / "docs/network.md").read_text().split("## Parameters")[1]
TABLES = dict(re.findall(r"\| `(network[.\w]*)` \| 3GPP \|\n(.*?)(?:\n\n|\Z)", PAGE, re.S))
PARTS = {
    "network.carriers.NAME": (specs.CarrierSpec,),
    "network.qos.KIND": (specs.QosSpec,),
    "network.mobility": (specs.MobilitySpec,),
    "network.sidelink": (specs.SidelinkSpec,),
    "network": (specs.NrSpec, specs.BackgroundSpec, specs.Jitter),
}


@pytest.mark.parametrize("table", PARTS)
def test_every_parameter_is_named(table):
    named = {name for row in TABLES[table].splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    fields = {name for spec in PARTS[table] for name in spec.model_fields}
    elsewhere = {"kind", "carriers", "qos", "mobility", "sidelink"} if table == "network" else set()
    assert fields - elsewhere <= named
    assert named <= fields, "and none that isn't there"
