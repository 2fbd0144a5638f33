"""Plans of QGroundControl: what is read, what is refused, what is said of the rest."""

import json

import pytest

from twin.errors import ScenarioError
from twin.tasks.plan_file import MAX_BYTES, MAX_ITEMS, read_plan


def simple(command, *params, frame=3):
    return {"autoContinue": True, "command": command, "doJumpId": 1, "frame": frame, "params": list(params),
            "type": "SimpleItem"}  # fmt: skip


WAYPOINT = simple(16, 0, 0, 0, None, 48.15, 11.59, 50)
SURVEY = {
    "TransectStyleComplexItem": {
        "CameraCalc": {"CameraName": "Manual (no camera specs)", "version": 1},
        "Items": [WAYPOINT, simple(206, 25, 0, 1, 0, 0, 0, 0, frame=2), WAYPOINT],
        "VisualTransectPoints": [[48.15, 11.59]], "version": 1},
    "angle": 90, "complexItemType": "survey", "polygon": [[48.15, 11.59]], "type": "ComplexItem", "version": 5,
}  # fmt: skip
PLAN = {
    "fileType": "Plan", "groundStation": "QGroundControl", "version": 1,
    "geoFence": {"circles": [{"circle": {}}], "polygons": [], "version": 2},
    "rallyPoints": {"points": [[48, 11, 5], [48, 11, 6]], "version": 2},
    "mission": {"cruiseSpeed": 15, "firmwareType": 12, "globalPlanAltitudeMode": 1, "hoverSpeed": 5,
                "items": [WAYPOINT, SURVEY, {"type": "ComplexItem", "complexItemType": "StructureScan"}],
                "plannedHomePosition": [48.15, 11.59, 517.0], "vehicleType": 2, "version": 2},
}  # fmt: skip


@pytest.fixture
def read(tmp_path):
    """Read PLAN with the value at a path of keys changed."""

    def make(*path, value=None):
        plan = json.loads(json.dumps(PLAN))
        if path:
            at = plan
            for key in path[:-1]:
                at = at[key]
            at[path[-1]] = value
        (tmp_path / "a.plan").write_text(json.dumps(plan))
        return read_plan(tmp_path / "a.plan")

    return make


def test_items_of_surveys_come_in_their_place_and_what_is_not_flown_is_counted(read):
    plan = read()
    assert [item.command for _, item in plan.items] == [16, 16, 206, 16]
    assert plan.items[2][0] == "mission.items[1].TransectStyleComplexItem.Items[1]"
    assert plan.home == (48.15, 11.59, 517.0) and plan.speed == 5.0
    assert plan.unused == {"geofence circle": 1, "rally point": 2, "complex item 'StructureScan'": 1}


WRONG = [
    (("fileType",), "Mission", "fileType: found 'Mission'; allowed: 'Plan'"),
    (("version",), 2, "version: found 2; allowed: 1"),
    (("mission", "items"), [], "mission.items: found a list of 0; allowed: at least 1"),
    (("mission", "items", 0, "params"), [0, 0], r"mission.items\[0\].params"),
    (("mission", "items", 0, "params", 4), "north", r"mission.items\[0\].params\[4\]: found 'north'; allowed: a n"),
    (("mission", "items", 0, "command"), None, r"mission.items\[0\].command"),
    (("mission", "plannedHomePosition"), [95.0, 11.0, 0.0], r"plannedHomePosition\[0\]: found 95.0; allowed: .*90"),
    (("mission", "hoverSpeed"), -1, "mission.hoverSpeed: found -1; allowed: more than 0"),
    (("mission", "items"), [WAYPOINT] * (MAX_ITEMS + 1), f"mission.items: .*at most {MAX_ITEMS}"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "message"), WRONG)
def test_what_is_wrong_is_said_with_file_and_place(read, path, value, message):
    with pytest.raises(ScenarioError, match=f"a.plan.*{message}"):
        read(*path, value=value)


def test_a_simple_item_without_its_parts_is_refused(read):
    with pytest.raises(ScenarioError, match=r"mission.items\[0\].params: missing"):
        read("mission", "items", 0, value={"type": "SimpleItem", "command": 16, "frame": 3})


OTHER = [("", "not valid JSON"), ("[1]", "found a list"), ('{"version": NaN}', "NaN"),
         ("[" * 100_000, "not valid JSON"), ("\xff", "not valid JSON")]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), OTHER)
def test_other_files_are_refused(tmp_path, text, message):
    (tmp_path / "a.plan").write_bytes(text.encode("latin-1"))
    with pytest.raises(ScenarioError, match=message):
        read_plan(tmp_path / "a.plan")


def test_a_file_that_is_too_large_or_missing_is_refused(tmp_path):
    with pytest.raises(ScenarioError, match="a.plan: can't be read: No such file"):
        read_plan(tmp_path / "a.plan")
    with (tmp_path / "a.plan").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(ScenarioError, match="found 10.0 MB; allowed: at most 10 MB"):
        read_plan(tmp_path / "a.plan")
