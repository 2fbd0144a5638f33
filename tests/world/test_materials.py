"""Materials: values of the recommendations, and the rules that give them to faces."""

from dataclasses import replace
from math import pi
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from twin.errors import ScenarioError, WorldError
from twin.world.builder import GeometryBuilder
from twin.world.materials import MATERIALS, NAMES, permittivity, sea_conductivity, water_permittivity
from twin.world.rules import MaterialRule, apply_rules, surface_kinds

EPS0 = 8.8541878128e-12


def test_concrete_by_hand():
    found = permittivity("concrete", 3.5e9)
    assert found.real == 5.24
    assert found.imag == pytest.approx(-0.0462 * 3.5**0.7822 / (2 * pi * 3.5e9 * EPS0), rel=1e-12)


TABLE_3 = """
concrete           5.24   0     0.0462   0.7822  1      100
brick              3.91   0     0.0238   0.16    1      40
plasterboard       2.73   0     0.0085   0.9395  1      100
wood               1.99   0     0.0047   1.0718  0.001  100
glass              6.31   0     0.0036   1.3394  0.1    100
glass              5.79   0     0.0004   1.658   220    450
ceiling_board      1.48   0     0.0011   1.0750  1      100
ceiling_board      1.52   0     0.0029   1.029   220    450
chipboard          2.58   0     0.0217   0.78    1      100
plywood            2.71   0     0.33     0       1      40
marble             7.074  0     0.0055   0.9262  1      60
floorboard         3.66   0     0.0044   1.3515  50     100
metal              1      0     1e7      0       1      100
very_dry_ground    3      0     0.00015  2.52    1      10
medium_dry_ground  15     -0.1  0.035    1.63    1      10
wet_ground         30     -0.4  0.15     1.30    1      10
"""
"""ITU-R P.2040-3, Table 3 without vacuum, as sionna-rt transcribes it: a, b, c, d, and the range in GHz."""


@pytest.mark.parametrize("row", TABLE_3.split("\n")[1:-1])
def test_materials_are_those_of_table_3(row, caplog):
    """eps' = a f^b, sigma = c f^d at both ends of the range and between, without a word of extending it."""
    name, *numbers = row.split()
    a, b, c, d, lowest, highest = map(float, numbers)
    for f in np.geomspace(lowest, highest, 5)[[0, 2, 4]].clip(lowest, highest).tolist():
        sigma = c * f**d
        found = permittivity(name, f * 1e9)
        assert found.real == pytest.approx(a * f**b, rel=1e-12)
        assert found.imag == pytest.approx(-sigma / (2 * pi * f * 1e9 * EPS0), rel=1e-12)
    assert not caplog.records


def test_table_3_holds_every_material():
    assert {row.split()[0] for row in TABLE_3.split("\n")[1:-1]} == set(MATERIALS)


def test_a_concrete_wall_reflects_what_p2040_says():
    """Slab of 20 cm at 3.5 GHz, normal incidence (P.2040-3, 2.2.2.2): R -8.04 dB, T -19.02 dB."""
    eps = permittivity("concrete", 3.5e9)
    n = np.sqrt(eps)
    r = (1 - n) / (1 + n)
    q = 2 * pi * 0.2 * 3.5e9 / 299792458.0 * n
    whole = 1 - r**2 * np.exp(-2j * q)
    reflected = r * (1 - np.exp(-2j * q)) / whole
    transmitted = (1 - r**2) * np.exp(-1j * q) / whole
    assert 20 * np.log10(abs(reflected)) == pytest.approx(-8.04, abs=0.01)
    assert 20 * np.log10(abs(transmitted)) == pytest.approx(-19.02, abs=0.01)


def test_glass_above_220_GHz_is_the_second_row():
    assert permittivity("glass", 300e9).real == 5.79


def test_water_at_zero_frequency_is_its_static_permittivity():
    theta = 300 / 298.15 - 1
    static = water_permittivity(1.0, 298.15, 0.0)
    assert static.real == pytest.approx(77.66 + 103.3 * theta, rel=1e-9)


def test_sea_water_at_28_GHz():
    found = permittivity("sea_water", 28e9)
    assert found == pytest.approx(24.58 - 33.59j, abs=0.01)


def test_standard_sea_water_conducts_as_the_practical_salinity_scale_says():
    assert sea_conductivity(288.15, 35.0) == pytest.approx(4.2914, abs=2e-3)  # PSS-78: C(35, 15, 0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("frequency", [1e9, 3.5e9, 28e9, 140e9])
def test_every_material_is_passive(name, frequency):
    found = permittivity(name, frequency)
    assert found.real >= 1.0
    assert found.imag <= 0.0


def test_outside_of_the_range_is_said_once(caplog):
    permittivity("brick", 61e9)
    permittivity("brick", 61e9)
    assert [record.message for record in caplog.records] == [
        "brick at 61 GHz: P.2040 gives it for 1..40 GHz; its formula is extended"
    ]


@pytest.mark.parametrize(("name", "frequency"), [("concret", 1e9), ("concrete", 0.0), ("concrete", -1.0)])
def test_what_is_no_material_or_frequency_is_refused(name, frequency):
    with pytest.raises(WorldError, match="allowed"):
        permittivity(name, frequency)


@pytest.fixture
def house():
    builder = GeometryBuilder()
    builder.add_polygon([np.array([[-9, -9, 0], [9, -9, 0], [9, 9, 0], [-9, 9, 0]], dtype=float)], "wet_ground")
    builder.add_box((0, 0, 0), (4, 4, 3), "concrete", builder.add_object("house_1"))
    builder.add_box((0, 0, 3), (4, 4, 9), "concrete", builder.add_object("tower_1"))
    return builder.build()


def made_of(geometry):
    return np.array(geometry.materials)[geometry.face_material].tolist()


def test_kinds_of_surfaces(house):
    kinds = surface_kinds(house)
    assert kinds.tolist() == ["ground", *["wall"] * 4, "roof", "floor", *["wall"] * 4, "roof", "floor"]


def test_later_rules_override_earlier_ones(house):
    rules = [
        MaterialRule(material="brick", surface="wall"),
        MaterialRule(material="glass", surface="wall", object="tower_*"),
        MaterialRule(material="metal", surface="roof", above="8 m"),
        MaterialRule(material="very_dry_ground", was="wet_ground"),
    ]
    changed = apply_rules(house, rules, Path("world.toml"))
    assert made_of(changed) == ["very_dry_ground", *["brick"] * 4, "concrete", "concrete",
                                *["glass"] * 4, "metal", "concrete"]  # fmt: skip
    assert made_of(house)[1:] == ["concrete"] * 12


def slabs(geometry):
    return [(geometry.materials[i], geometry.thickness[i]) for i in geometry.face_material]


def test_faces_are_as_thick_as_the_last_rule_says(house):
    rules = [
        MaterialRule(thickness="20 cm", object="house_1"),
        MaterialRule(material="glass", object="tower_1"),
        MaterialRule(material="glass", thickness="6 mm", object="tower_1", surface="roof"),
        MaterialRule(thickness="30 cm", object="house_1", surface="floor"),
    ]
    thin, pane = ("concrete", 0.2), ("glass", 0.012)
    expected = [("wet_ground", np.inf), *[thin] * 5, ("concrete", 0.3), *[pane] * 4, ("glass", 0.006), pane]
    assert slabs(apply_rules(house, rules, Path("world.toml"))) == expected
    assert set(house.thickness) == {np.inf}


def test_rules_by_tag(house):
    tagged = replace(house, tags=("building=church", "name=St Mary"), object_tags=np.array([[1, 0], [1, 1], [0, 1]]))
    rules = [MaterialRule(material="brick", tag="building=ch*"), MaterialRule(thickness="40 cm", tag="name=*")]
    found = slabs(apply_rules(tagged, rules, Path("world.toml")))
    assert found == [("wet_ground", np.inf), *[("concrete", 0.4)] * 6, *[("brick", 0.4)] * 6]
    with pytest.raises(ScenarioError, match="no face meets this rule.*building=church"):
        apply_rules(tagged, [MaterialRule(material="brick", tag="building=churhc")], Path("world.toml"))


@pytest.mark.parametrize("fields", [{"surface": "wall"}, {"thickness": 0.0}, {"thickness": "1 kg"}, {"tag": "church"}])
def test_a_rule_that_says_nothing_or_nonsense_is_refused(fields):
    with pytest.raises(ValidationError):
        MaterialRule(**fields)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (MaterialRule(material="brik"), "did you mean 'brick'"),
        (MaterialRule(material="brick", object="castle*"), "no face meets this rule"),
    ],
)
def test_a_rule_that_can_not_be_is_refused(house, rule, message):
    with pytest.raises(ScenarioError, match=message):
        apply_rules(house, [rule], Path("world.toml"))
