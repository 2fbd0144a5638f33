"""All that the author of a controller, failsafe, dynamics, sensor or agent imports: one line for every file.

    from twin.controller import NS, Action, Observation, RobotSpec

Robots and what needs compiled code are imported when they are asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from twin.clock import NS as NS
from twin.clock import periodic as periodic
from twin.errors import RunError as RunError
from twin.errors import ScenarioError as ScenarioError
from twin.protocols import Breakable as Breakable
from twin.protocols import Controller as Controller
from twin.protocols import Course as Course
from twin.protocols import DrivesJoints as DrivesJoints
from twin.protocols import Dynamics as Dynamics
from twin.protocols import Failsafe as Failsafe
from twin.protocols import Field as Field
from twin.protocols import Gauged as Gauged
from twin.protocols import Host as Host
from twin.protocols import Judge as Judge
from twin.protocols import RobotSpec as RobotSpec
from twin.protocols import Sensor as Sensor
from twin.protocols import ServiceTime as ServiceTime
from twin.protocols import SharedCourse as SharedCourse
from twin.protocols import Starts as Starts
from twin.protocols import Task as Task
from twin.protocols import Tells as Tells
from twin.scan import Scan as Scan
from twin.specs import BodySpec as BodySpec
from twin.specs import Point as Point
from twin.specs import ReadingSpec as ReadingSpec
from twin.specs import RobotKind as RobotKind
from twin.specs import Spec as Spec
from twin.specs.toml_text import validate as validate
from twin.state import COMMAND as COMMAND
from twin.state import F64 as F64
from twin.state import I64 as I64
from twin.state import MEASURED as MEASURED
from twin.state import NEVER as NEVER
from twin.state import NOMINAL as NOMINAL
from twin.state import TELEMETRY as TELEMETRY
from twin.state import Action as Action
from twin.state import Actions as Actions
from twin.state import BodyState as BodyState
from twin.state import Bool as Bool
from twin.state import Event as Event
from twin.state import Frame as Frame
from twin.state import LinkState as LinkState
from twin.state import Message as Message
from twin.state import Node as Node
from twin.state import Observation as Observation
from twin.state import Packet as Packet
from twin.state import Readings as Readings
from twin.state import Reference as Reference
from twin.state import Sample as Sample
from twin.state import Truth as Truth
from twin.units import Bytes as Bytes
from twin.units import DurationNs as DurationNs
from twin.units import Hertz as Hertz
from twin.units import Kilograms as Kilograms
from twin.units import Metres as Metres
from twin.units import Radians as Radians
from twin.units import RadiansPerSecond as RadiansPerSecond
from twin.units import RateHz as RateHz
from twin.units import Seconds as Seconds
from twin.units import Speed as Speed
from twin.units import unit as unit

if TYPE_CHECKING:
    from twin.fleet.airspace import Airspace as Airspace
    from twin.fleet.controller import Fleet as Fleet
    from twin.interfaces.client import serve as serve
    from twin.mechanism.kinematics import Posture as Posture
    from twin.mechanism.kinematics import inverse_kinematics as inverse_kinematics
    from twin.mechanism.kinematics import tool_jacobian as tool_jacobian
    from twin.mechanism.kinematics import tool_pose as tool_pose
    from twin.mechanism.tree import read_mechanism as read_mechanism
    from twin.numerics.kernels import kernel as kernel
    from twin.robots.decisions import checked as checked
    from twin.robots.decisions import decide as decide
    from twin.robots.decisions import logged as logged
    from twin.robots.decisions import stated as stated
    from twin.robots.decisions import told as told
    from twin.robots.failsafes import BrakeAndHold as BrakeAndHold
    from twin.robots.failsafes import ProtectiveStop as ProtectiveStop
    from twin.robots.guidance import setpoint as setpoint
    from twin.robots.guidance import setpoints as setpoints
    from twin.robots.observations import Observations as Observations
    from twin.robots.observations import column as column
    from twin.robots.observations import stamps_of as stamps_of
    from twin.robots.robot import Reaction as Reaction
    from twin.robots.robot import Robot as Robot
    from twin.sensing.reports import Report as Report
    from twin.sensing.tracker import Tracked as Tracked
    from twin.sensing.tracker import Tracker as Tracker
    from twin.sensing.tracker import TrackerSpec as TrackerSpec
    from twin.sensors.setting import Setting as Setting
    from twin.tasks.formation import Formation as Formation
    from twin.tasks.formation import turned as turned
    from twin.tasks.teleoperation import FELT as FELT
    from twin.tasks.teleoperation import Teleoperation as Teleoperation
    from twin.tasks.tool_path import ToolPath as ToolPath

_HOMES = {
    "Airspace": "twin.fleet.airspace",
    "Fleet": "twin.fleet.controller",
    "serve": "twin.interfaces.client",
    "Posture": "twin.mechanism.kinematics",
    "inverse_kinematics": "twin.mechanism.kinematics",
    "tool_jacobian": "twin.mechanism.kinematics",
    "tool_pose": "twin.mechanism.kinematics",
    "read_mechanism": "twin.mechanism.tree",
    "kernel": "twin.numerics.kernels",
    "checked": "twin.robots.decisions",
    "decide": "twin.robots.decisions",
    "logged": "twin.robots.decisions",
    "stated": "twin.robots.decisions",
    "told": "twin.robots.decisions",
    "BrakeAndHold": "twin.robots.failsafes",
    "ProtectiveStop": "twin.robots.failsafes",
    "setpoint": "twin.robots.guidance",
    "setpoints": "twin.robots.guidance",
    "Observations": "twin.robots.observations",
    "column": "twin.robots.observations",
    "stamps_of": "twin.robots.observations",
    "Reaction": "twin.robots.robot",
    "Robot": "twin.robots.robot",
    "Report": "twin.sensing.reports",
    "Tracked": "twin.sensing.tracker",
    "Tracker": "twin.sensing.tracker",
    "TrackerSpec": "twin.sensing.tracker",
    "Setting": "twin.sensors.setting",
    "Formation": "twin.tasks.formation",
    "turned": "twin.tasks.formation",
    "FELT": "twin.tasks.teleoperation",
    "Teleoperation": "twin.tasks.teleoperation",
    "ToolPath": "twin.tasks.tool_path",
}
"""Where the names that are imported when they are asked for live."""


def __getattr__(name: str) -> Any:
    """Import a name that needs mesa or compiled code."""
    if name not in _HOMES:
        raise AttributeError(f"module 'twin.controller' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(name for name in {*globals(), *_HOMES} if not name.startswith("_"))
