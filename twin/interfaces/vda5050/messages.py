"""The messages of VDA 5050, version 2.0 and 2.1: order, instantActions, state, connection.

Fields and their kinds are those of the standard (VDA 5050, chapters 6.6 to 6.14, and its JSON schemas). The schemas
don't forbid further fields: they are kept, so that one of 2.1 or of a manufacturer does no harm.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from math import pi
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

VERSION = "2.0.0"
Count = Annotated[int, Field(ge=0, lt=2**32, strict=True)]
Angle = Annotated[float, Field(ge=-pi - 1e-9, le=pi + 1e-9)]
Length = Annotated[float, Field(ge=0)]


def _is_time(text: str) -> str:
    """Refuse what is no ISO 8601 time of UTC."""
    if not text.endswith("Z"):
        raise ValueError("expected a time of UTC such as 2017-04-15T11:40:03.12Z")
    datetime.fromisoformat(text)
    return text


class Wire(BaseModel):
    """Base of all parts: names in camelCase as they travel, numbers finite."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="allow", allow_inf_nan=False
    )

    def text(self) -> str:
        """Return the JSON that travels; what isn't there is left out."""
        return self.model_dump_json(by_alias=True, exclude_none=True)


class Message(Wire):
    """The header of every message; header ids count the messages of one topic."""

    header_id: Count
    timestamp: Annotated[str, AfterValidator(_is_time)]
    version: str = Field(pattern=r"^2\.\d+(\.\d+)?$")
    manufacturer: str
    serial_number: str


class BlockingType(StrEnum):
    """What may happen beside an action."""

    NONE = "NONE"  # driving and other actions
    SOFT = "SOFT"  # other actions
    HARD = "HARD"  # nothing


class ActionParameter(Wire):
    """One parameter of an action."""

    key: str
    value: bool | int | float | str | list[Any]


class VdaAction(Wire):
    """Something to do besides driving."""

    action_type: str
    action_id: str
    action_description: str | None = None
    blocking_type: BlockingType
    action_parameters: list[ActionParameter] = []


class NodePosition(Wire):
    """A place on a map [m, rad]; deviations that count as being there."""

    x: float
    y: float
    theta: Angle | None = None
    allowed_deviation_x_y: Length | None = Field(default=None, alias="allowedDeviationXY")
    allowed_deviation_theta: Annotated[float, Field(ge=0, le=pi + 1e-9)] | None = None
    map_id: str
    map_description: str | None = None


class Node(Wire):
    """A place to go through; released: part of the base, else of the horizon."""

    node_id: str
    sequence_id: Count
    node_description: str | None = None
    released: bool
    node_position: NodePosition | None = None
    actions: list[VdaAction]


class ControlPoint(Wire):
    """A control point of a trajectory."""

    x: float
    y: float
    weight: Length = 1.0


class Trajectory(Wire):
    """A NURBS that an edge follows."""

    degree: int = Field(ge=1)
    knot_vector: list[Annotated[float, Field(ge=0, le=1)]]
    control_points: list[ControlPoint]


class Edge(Wire):
    """A way between two nodes; speeds in m/s and rad/s."""

    edge_id: str
    sequence_id: Count
    edge_description: str | None = None
    released: bool
    start_node_id: str
    end_node_id: str
    max_speed: Length | None = None
    max_height: float | None = None
    min_height: float | None = None
    orientation: Angle | None = None
    orientation_type: Literal["GLOBAL", "TANGENTIAL"] | None = None
    direction: str | None = None
    rotation_allowed: bool | None = None
    max_rotation_speed: Length | None = None
    length: Length | None = None
    trajectory: Trajectory | None = None
    actions: list[VdaAction]


class Order(Message):
    """Where to go, from fleet control to vehicle."""

    order_id: str
    order_update_id: Count
    zone_set_id: str | None = None
    nodes: list[Node] = Field(min_length=1)
    edges: list[Edge]


class InstantActions(Message):
    """What to do at once, from fleet control to vehicle."""

    actions: list[VdaAction]


class NodeState(Wire):
    """A node that is still to be reached."""

    node_id: str
    sequence_id: Count
    node_description: str | None = None
    node_position: NodePosition | None = None
    released: bool


class EdgeState(Wire):
    """An edge that is still to be gone along, the present one included."""

    edge_id: str
    sequence_id: Count
    edge_description: str | None = None
    released: bool
    trajectory: Trajectory | None = None


class AgvPosition(Wire):
    """Where the vehicle takes itself to be [m, rad]."""

    position_initialized: bool
    localization_score: Annotated[float, Field(ge=0, le=1)] | None = None
    deviation_range: Length | None = None
    x: float
    y: float
    theta: Angle
    map_id: str
    map_description: str | None = None


class Velocity(Wire):
    """Velocity in the vehicle's axes [m/s, rad/s]."""

    vx: float | None = None
    vy: float | None = None
    omega: float | None = None


class ActionStatus(StrEnum):
    """How far an action is."""

    WAITING = "WAITING"
    INITIALIZING = "INITIALIZING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"


class ActionState(Wire):
    """An action of the order or an instant one."""

    action_id: str
    action_type: str | None = None
    action_description: str | None = None
    action_status: ActionStatus
    result_description: str | None = None


class BatteryState(Wire):
    """Charge in per cent."""

    battery_charge: Annotated[float, Field(ge=0, le=100)]
    battery_voltage: float | None = None
    battery_health: Annotated[float, Field(ge=0, le=100)] | None = None
    charging: bool
    reach: Length | None = None


class ErrorReference(Wire):
    """What an error is about."""

    reference_key: str
    reference_value: str


class VdaError(Wire):
    """An error that is there at present."""

    error_type: str
    error_references: list[ErrorReference] = []
    error_description: str | None = None
    error_hint: str | None = None
    error_level: Literal["WARNING", "FATAL"]


class SafetyState(Wire):
    """Emergency stop (how it is acknowledged) and protective fields."""

    e_stop: Literal["AUTOACK", "MANUAL", "REMOTE", "NONE"]
    field_violation: bool


class State(Message):
    """All about a vehicle, from vehicle to fleet control."""

    order_id: str
    order_update_id: Count
    zone_set_id: str | None = None
    last_node_id: str
    last_node_sequence_id: Count
    node_states: list[NodeState]
    edge_states: list[EdgeState]
    agv_position: AgvPosition | None = None
    velocity: Velocity | None = None
    loads: list[Any] | None = None
    driving: bool
    paused: bool | None = None
    new_base_request: bool | None = None
    distance_since_last_node: Length | None = None
    action_states: list[ActionState]
    battery_state: BatteryState
    operating_mode: Literal["AUTOMATIC", "SEMIAUTOMATIC", "MANUAL", "SERVICE", "TEACHIN"]
    errors: list[VdaError]
    information: list[Any] | None = None
    safety_state: SafetyState


class Connection(Message):
    """Whether a vehicle is there; the last will says CONNECTIONBROKEN."""

    connection_state: Literal["ONLINE", "OFFLINE", "CONNECTIONBROKEN"]
