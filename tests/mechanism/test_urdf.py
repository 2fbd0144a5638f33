"""A URDF that can't be used is refused with file and element."""

import re

import pytest

from twin.errors import ScenarioError
from twin.mechanism.urdf import check_urdf

INERTIAL = '<inertial><mass value="1"/><inertia ixx="1" iyy="1" izz="1" ixy="0" ixz="0" iyz="0"/></inertial>'
LINK = f'<link name="base">{INERTIAL}</link>'
MESH = '<link name="base">{}<{} ><geometry><mesh filename="{}"/></geometry></{}></link>'


def refuse(tmp_path, text, *words):
    path = tmp_path / "body.urdf"
    path.write_text(text)
    with pytest.raises(ScenarioError) as refused:
        check_urdf(path)
    for word in (str(path), *words):
        assert word in str(refused.value)


def test_good_files_pass(tmp_path):
    (tmp_path / "meshes").mkdir()
    (tmp_path / "meshes/hull.obj").write_text("v 0 0 0")
    path = tmp_path / "body.urdf"
    for name in ("meshes/hull.obj", "package://meshes/hull.obj"):
        path.write_text(f"<robot name='r'>{MESH.format(INERTIAL, 'collision', name, 'collision')}</robot>")
        check_urdf(path)


@pytest.mark.parametrize("kind", ["visual", "collision"])
def test_a_missing_mesh_names_link_and_mesh(tmp_path, kind):
    link = MESH.format(INERTIAL, kind, "gone.stl", kind)
    refuse(tmp_path, f"<robot name='r'>{link}</robot>", "'base'", f"<{kind}>", "gone.stl")


def test_a_mesh_format_that_bullet_would_skip_is_refused(tmp_path):
    link = MESH.format(INERTIAL, "visual", "hull.step", "visual")
    refuse(tmp_path, f"<robot name='r'>{link}</robot>", "hull.step", ".obj")


JOINT = "<joint name='j' type='fixed'><parent link='base'/><child link='arm'/></joint>"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("<link", ["not well-formed", "line 1"]),
        ("", ["<link>"]),
        ("<link name='base'/>", ["'base'", "<inertial>"]),
        (LINK.replace('value="1"', 'value="-1"'), ["mass", "'-1'"]),
        (LINK.replace('ixx="1"', 'ixx="nan"'), ["ixx", "'nan'"]),
        (LINK.replace('izz="1"', ""), ["izz", "None"]),
        (LINK.replace('izz="1"', 'izz="2.1"'), ["<inertia>", "1, 1, 2.1"]),
        (LINK.replace('ixy="0"', 'ixy="1.5"'), ["<inertia>", "-0.5, 1, 2.5"]),
        (LINK.replace('ixy="0"', 'ixy="?"'), ["<inertia>", "'?'"]),
        (LINK + JOINT, ["'j'", "<child>", "'arm'", "base"]),
    ],
)
def test_broken_files_are_refused(tmp_path, body, words):
    refuse(tmp_path, f"<robot name='r'>{body}</robot>", *words)


def test_another_xml_format_is_refused(tmp_path):
    refuse(tmp_path, "<sdf/>", "<robot>", "<sdf>")


def test_entities_are_refused_before_they_expand(tmp_path):
    bomb = '<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><robot name="&b;"/>'
    refuse(tmp_path, bomb, "DOCTYPE")


def test_a_file_that_is_not_text_is_refused(tmp_path):
    path = tmp_path / "body.urdf"
    path.write_bytes(b"\xff\xfe\x00\x00")
    with pytest.raises(ScenarioError, match=re.escape(str(path))):
        check_urdf(path)
