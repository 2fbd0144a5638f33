"""What strangers write into names, numbers and sizes: a clear error, at once, and nothing for the terminal to obey."""

import json
import zipfile

import numpy as np
import pytest

from twin.cli.console import Output
from twin.errors import ScenarioError, TwinError, WorldError
from twin.mechanism.urdf import check_urdf
from twin.specs.overrides import parse_override
from twin.specs.scenario import parse_scenario
from twin.specs.toml_text import line_of, read_toml
from twin.world.builder import GeometryBuilder
from twin.world.geometry import load_geometry, save_geometry
from twin.world.importers import import_world
from twin.world.opening import open_world

SCENARIO = {"schema": 1, "world": "void", "duration": "1 s", "robots": {"a": {"kind": "drone"}}}


def refused(**changes):
    with pytest.raises(ScenarioError) as caught:
        parse_scenario({**SCENARIO, **changes}, "", "a.toml")
    assert len(str(caught.value)) < 5000
    return str(caught.value)


# --- scenarios


def test_counts_are_bounded():
    assert "allowed: at most 10000" in refused(robots={"a": {"kind": "drone", "count": 10**9}})


@pytest.mark.parametrize("name", ["\x1b[31mred", "a/b", "../../x", "", "x" * 1000, "a\nb", ".."])
def test_names_of_robots_are_names(name):
    message = refused(robots={name: {"kind": "drone"}})
    assert "as a name; allowed: up to 100 letters" in message
    assert "\x1b" not in message


@pytest.mark.parametrize("name", ["driver's seat", 'the "old" one', "Größe", "无人机", "[red]", "a.b"])
def test_names_of_robots_may_be_those_of_any_language(name):
    parse_scenario({**SCENARIO, "robots": {name: {"kind": "drone"}}}, "", "a.toml")


def nested(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    return value


def test_parameters_are_finite_and_not_nested_without_end():
    for value, message in ((float("inf"), "found inf"), (float("nan"), "found nan"), (nested(300), "inside each other"),
                           ([1, {"b": float("-inf")}], "found -inf")):  # fmt: skip
        assert message in refused(robots={"a": {"kind": "drone", "parameters": {"x": value}}})


@pytest.mark.parametrize("number", [10**400, 1 << 100_000, -(10**400), 10**4000], ids=range(4))
@pytest.mark.parametrize("key", ["seed", "duration", "schema"])
def test_numbers_of_hundreds_of_digits(key, number):
    assert key in refused(**{key: number})


def test_a_thousand_mistakes_are_told_of_in_a_page():
    positions = [["x", "y", "z"]] * 1000
    message = refused(robots={"a": {"kind": "drone", "count": 1000, "positions": positions}})
    assert "3000 mistakes" in message and "and 2950 more" in message


@pytest.mark.parametrize("text", ["a." * 1000 + "b=1", "." * 100_000 + "=1", "a=" + "[" * 100_000, "a.b" * 40 + "=1"],
                         ids=range(4))
def test_overrides_with_a_thousand_parts(text):
    try:
        parse_override(text)
    except ScenarioError as error:
        assert len(str(error)) < 500


@pytest.mark.parametrize("text", [
    " " * 1_000_000 + "x", "a" * 1_000_000, "a " * 500_000 + "= 1", '"' * 1_000_000, "[" * 1_000_000
], ids=range(5))  # fmt: skip
def test_lines_are_found_in_time_that_grows_with_the_text(text):
    assert line_of(text, ("robots", "a")) == 0  # minutes, by a regular expression that tries every blank


def test_a_requirement_as_long_as_a_file_is_none():
    message = refused(requirements=["tracking_max < 1" + " " * 1_000_000 + "m"])
    assert "requirements[0]" in message


def test_toml_that_nests_without_end(tmp_path):
    for text in ("a = " + "[" * 100_000, "a = " + "{b=" * 100_000, "[" + "a." * 100_000 + "b]\nc = 1"):
        (tmp_path / "a.toml").write_text(text)
        with pytest.raises(ScenarioError):
            read_toml(tmp_path / "a.toml")


# --- robots

LINK = '<link name="a">{}<inertial><mass value="{}"/><inertia ixx="1" iyy="1" izz="{}"/></inertial></link>'
ORIGIN = '<collision><origin xyz="{}"/><geometry><box size="1 1 1"/></geometry></collision>'


@pytest.mark.parametrize(("link", "message"), [
    (LINK.format(ORIGIN.format("0 0"), 1, 1), "xyz: found '0 0'; allowed: 3 finite numbers"),
    (LINK.format(ORIGIN.format("0 0 0 0"), 1, 1), "xyz: found '0 0 0 0'"),
    (LINK.format(ORIGIN.format("0 x 0"), 1, 1), "xyz: found '0 x 0'"),
    (LINK.format(ORIGIN.format("0 nan 0"), 1, 1), "xyz: found '0 nan 0'"),
    (LINK.format(ORIGIN.format("0 0 " + "9" * 400), 1, 1), "xyz: found '0 0 999"),
    (LINK.format("", "9" * 400, 1), "value: found '999"),
    (LINK.format("", 1, "one"), "izz: found 'one'; allowed: a finite number"),
    (LINK.format(ORIGIN.format("0 0 0").replace("1 1 1", "1 1"), 1, 1), "size: found '1 1'"),
])  # fmt: skip
def test_numbers_of_a_urdf(tmp_path, link, message):
    (tmp_path / "a.urdf").write_text(f'<robot name="r">{link}</robot>')
    with pytest.raises(ScenarioError) as caught:
        check_urdf(tmp_path / "a.urdf")
    assert message in str(caught.value) and "<link name='a'>" in str(caught.value)


# --- worlds


def world(folder, **keys):
    folder.mkdir(exist_ok=True)
    lines = [f"{key} = {json.dumps(value)}" for key, value in {"schema": 1, "name": "w", **keys}.items()]
    (folder / "world.toml").write_text("\n".join(lines))
    return folder


@pytest.mark.parametrize("name", ["../../x", "/etc/x", "a\\b", "\x1b[31m", "x" * 1000, ".", ""])
def test_the_name_of_a_world_is_no_path(tmp_path, name):
    folder = world(tmp_path / "w", name=name, source="g.py:make")
    (folder / "g.py").write_text("def make():\n    raise ValueError('built')\n")
    with pytest.raises(ScenarioError, match="name: found .*allowed: up to 100 letters without /"):
        open_world(folder)


def test_an_error_of_a_generator_is_shown_with_its_line(tmp_path):
    folder = world(tmp_path / "w", source="g.py:make", parameters={})
    (folder / "g.py").write_text("def make():\n    sizes = [1, 2]\n    return sizes[7]\n")
    with pytest.raises(WorldError, match=r"world.toml: source: g.py:make: g.py:3: IndexError: list index out of"):
        open_world(folder)


@pytest.fixture
def stored(tmp_path):
    builder = GeometryBuilder()
    builder.add_box((0, 0, 0), (1, 1, 1), "concrete", builder.add_object("box"))
    save_geometry(builder.build(), tmp_path / "geometry.npz")
    return tmp_path / "geometry.npz"


def test_geometry_whose_bytes_are_broken(stored):
    data = stored.read_bytes()
    seen = 0
    for at in range(0, len(data), 7):
        changed = bytearray(data)
        changed[at] ^= 0xFF
        stored.write_bytes(bytes(changed))
        try:
            load_geometry(stored)
        except WorldError:
            seen += 1
    assert seen > 10


@pytest.mark.parametrize(("name", "changed"), [
    ("vertices", lambda a: a.astype(complex)), ("vertices", lambda a: a.astype("S8")), ("vertices", np.ravel),
    ("face_normal", lambda a: np.float64(1)), ("objects", lambda a: np.array("x")),
    ("vertices", lambda a: a + 2e9), ("triangles", lambda a: a.astype(float)), ("triangles", lambda a: a + 2**40),
    ("objects", lambda a: np.array([1, 2])), ("thickness", lambda a: a * np.nan), ("vertices", lambda a: a * np.nan),
])  # fmt: skip
def test_geometry_of_other_types(stored, name, changed):
    with np.load(stored) as archive:
        arrays = dict(archive)
    arrays[name] = changed(arrays[name].astype(np.int64) if arrays[name].dtype.kind == "i" else arrays[name])
    np.savez_compressed(stored, **arrays)
    with pytest.raises(WorldError, match="geometry.npz"):
        load_geometry(stored)


def test_geometry_in_a_compression_that_zipfile_lacks(stored):
    data = bytearray(stored.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        at = data.find(mark)
        while at >= 0:
            data[at + offset : at + offset + 2] = (99).to_bytes(2, "little")
            at = data.find(mark, at + 4)
    stored.write_bytes(bytes(data))
    with pytest.raises(WorldError, match="not a readable geometry file"):
        load_geometry(stored)
    assert zipfile.ZipFile(stored).namelist()


def test_an_outline_that_crosses_itself_ten_thousand_times(tmp_path):
    chance = np.random.default_rng(1)
    tangle = (np.array([11.0, 48.0]) + 1e-3 * chance.random((20_000, 2))).tolist()
    square = [[11.01, 48.0], [11.0102, 48.0], [11.0102, 48.0002], [11.01, 48.0002]]
    buildings = [{"polygon": tangle, "height": 5}, {"polygon": square, "height": 5}]
    (tmp_path / "a.geojson").write_text(json.dumps(buildings))
    _, report = import_world(tmp_path / "a.geojson")
    assert report.skipped == {"outline that crosses itself more than 5000 times": 1}
    assert report.used == 1


def test_materials_of_an_obj_are_found_in_time_that_grows_with_the_text(tmp_path):
    (tmp_path / "a.obj").write_text("usemtl x" + " " * 500_000 + "y\n" + "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    try:
        import_world(tmp_path / "a.obj")
    except WorldError as error:
        assert "a.obj" in str(error)


# --- the terminal


def test_names_reach_the_terminal_as_text(capsys):
    Output().print("\x1b[31mred\x07 [red]markup[/red] :smile: \x9b2J", "tab\tline\nend")
    shown = capsys.readouterr().out
    assert "\x1b" not in shown and "\x07" not in shown and "\x9b" not in shown
    assert "\\x1b[31mred [red]markup[/red] :smile: \\x9b2J" in shown


def test_a_message_as_long_as_a_file_is_cut():
    message = str(TwinError("x" * 1_000_000))
    assert len(message) == 10_000 and message.endswith("... (1000000 letters)")
