"""What a robot.toml may say of its radar cross-section."""

import pytest
from pydantic import ValidationError

from twin.project.project import Project
from twin.project.robots import load_kind
from twin.specs import RcsSpec


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"model": "point"}, 'found a point without `mean`; allowed: `mean`, such as "0 dBsm"'),
        ({"model": "human", "mean": "3 dBsm"}, "found `mean` of human"),
        ({"model": "point", "mean": "3 dB"}, "a radar cross-section in dBsm"),
        ({"model": "ship"}, "'uav-small', 'uav-large', 'human', 'vehicle', 'agv' or 'point'"),
        ({"model": "agv", "size": "0 m"}, "greater than 0"),
    ],
)
def test_what_is_wrong_is_said(table, said):
    with pytest.raises(ValidationError, match=said):
        RcsSpec.model_validate(table)


def test_only_a_body_has_a_cross_section(tmp_path):
    (tmp_path / "robot.toml").write_text('schema = 1\nagent = "a.py:A"\n[rcs]\nmodel = "human"\n')
    with pytest.raises(Exception, match="rcs: found a table, but this robot has no body"):
        load_kind(tmp_path)


def test_robots_that_move_have_one(request):
    project = Project.around(request.config.rootpath)
    found = {name: load_kind(project.robot(name)).rcs for name in ("drone", "hexa", "amr", "mecanum", "buoy")}
    assert found["hexa"] == found["drone"] == RcsSpec(model="uav-small", size=0.7)
    assert found["amr"] == found["mecanum"] == RcsSpec(model="agv")
    assert found["buoy"] is None
