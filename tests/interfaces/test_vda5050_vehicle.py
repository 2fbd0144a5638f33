"""Orders by the rules of VDA 5050, chapter 6.6: what is taken, what is refused and how, what a state then says."""

import json

import pytest
from pydantic import ValidationError

from twin.interfaces.vda5050.driving import DrivingSpec, drive
from twin.interfaces.vda5050.messages import Order, State
from twin.interfaces.vda5050.vehicle import Vehicle

HEADER = {"headerId": 1, "timestamp": "2025-01-01T00:00:00.00Z", "version": "2.0.0", "manufacturer": "twin",
          "serialNumber": "cart"}  # fmt: skip


def order(*places, order_id="o1", update=0, first=0, base=None, **changes):
    """Return an order through (x, y) of nodes n0, n1, ...; the first `base` of them are released."""
    base = len(places) if base is None else base
    nodes = [
        {"nodeId": f"n{first + i}", "sequenceId": 2 * (first + i), "released": i < base, "actions": [],
         "nodePosition": {"x": x, "y": y, "mapId": "hall"}}
        for i, (x, y) in enumerate(places)
    ]  # fmt: skip
    edges = [
        {"edgeId": f"e{first + i}", "sequenceId": 2 * (first + i) + 1, "released": i + 1 < base, "actions": [],
         "startNodeId": f"n{first + i}", "endNodeId": f"n{first + i + 1}"}
        for i in range(len(places) - 1)
    ]  # fmt: skip
    return HEADER | {"orderId": order_id, "orderUpdateId": update, "nodes": nodes, "edges": edges} | changes


def act(*types):
    actions = [{"actionType": t, "actionId": f"a{i}", "blockingType": "HARD"} for i, t in enumerate(types)]
    return HEADER | {"actions": actions}


@pytest.fixture
def cart():
    return Vehicle("hall")


def tell(vehicle, message, place=(0.0, 0.0)):
    vehicle.hear("instantActions" if "orderId" not in message else "order", json.dumps(message), place)
    vehicle.move(*place, 0.0)
    return [error.error_type for error in vehicle.errors]


def test_an_order_is_taken_and_its_first_node_ticked_off_where_the_vehicle_stands(cart):
    assert tell(cart, order((0, 0), (2, 0), (2, 2), base=2)) == []
    assert (cart.order_id, cart.order_update_id, cart.last_node_id, cart.last_node_sequence_id) == ("o1", 0, "n0", 0)
    assert [(n.node_id, n.released) for n in cart.node_states()] == [("n1", True), ("n2", False)]
    assert [(e.edge_id, e.released) for e in cart.edge_states()] == [("e0", True), ("e1", False)]
    cart.move(2.0, 0.05, 0.0)
    assert cart.last_node_id == "n1" and cart.next_node is None and not cart.idle, "it waits at the end of the base"
    assert [e.edge_id for e in cart.edge_states()] == ["e1"]


def test_an_update_goes_on_where_the_base_ends_and_replaces_the_horizon(cart):
    tell(cart, order((0, 0), (2, 0), (2, 2), base=2))
    assert tell(cart, order((2, 0), (4, 0), (6, 0), first=1, update=1, base=2)) == []
    assert [(n.node_id, n.node_position.x, n.released) for n in cart.nodes] == [
        ("n1", 2.0, True), ("n2", 4.0, True), ("n3", 6.0, False)]  # fmt: skip
    assert [e.edge_id for e in cart.edges] == ["e0", "e1", "e2"] and cart.order_update_id == 1


def test_an_update_of_an_order_whose_base_is_done_begins_at_its_last_node(cart):
    tell(cart, order((0, 0), (2, 0)))
    cart.move(2.0, 0.0, 0.0)
    assert cart.idle
    assert tell(cart, order((2, 0), (2, 3), first=1, update=1), (2.0, 0.0)) == []
    assert [n.node_id for n in cart.nodes] == ["n2"] and [e.edge_id for e in cart.edges] == ["e1"]


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (order((1, 0), (2, 0), order_id="o2"), "orderError"),  # while o1 is under way
        (order((2, 0), (3, 0), first=1, update=1), None),
        (order((0, 0), (3, 0), update=1), "orderUpdateError"),  # doesn't begin at the base's end
        (order((0, 0), (2, 0)), None),  # sent twice
    ],
)
def test_what_follows_an_order_that_is_under_way(cart, message, kind):
    tell(cart, order((0, 0), (2, 0)))
    assert tell(cart, message, (1.0, 0.0)) == ([kind] if kind else [])


def test_an_older_update_is_refused_and_the_newer_one_goes_on(cart):
    tell(cart, order((0, 0), (2, 0), update=3))
    assert tell(cart, order((2, 0), (3, 0), first=1, update=2)) == ["orderUpdateError"]
    assert cart.order_update_id == 3 and [n.node_id for n in cart.nodes] == ["n1"]


def without(message, *path):
    message = json.loads(json.dumps(message))
    here = message
    for part in path[:-1]:
        here = here[part]
    del here[path[-1]]
    return message


def changed(message, value, *path):
    message = json.loads(json.dumps(message))
    here = message
    for part in path[:-1]:
        here = here[part]
    here[path[-1]] = value
    return message


GOOD = order((0, 0), (2, 0), (2, 2))
LIFT = {"actionType": "pick", "actionId": "p", "blockingType": "HARD"}


@pytest.mark.parametrize(
    ("message", "kind", "words"),
    [
        (without(GOOD, "orderUpdateId"), "validationError", "orderUpdateId: Field required"),
        (without(GOOD, "nodes", 1, "released"), "validationError", "nodes.1.released: Field required"),
        (without(GOOD, "edges", 0, "startNodeId"), "validationError", "edges.0.startNodeId: Field required"),
        (changed(GOOD, "1.1.0", "version"), "validationError", "version"),
        (changed(GOOD, "yesterday", "timestamp"), "validationError", "time of UTC"),
        (changed(GOOD, -1, "orderUpdateId"), "validationError", "orderUpdateId"),
        (changed(GOOD, "2", "nodes", 1, "nodePosition", "x"), None, ""),  # a number all the same
        (changed(GOOD, "far", "nodes", 1, "nodePosition", "x"), "validationError", "nodePosition.x"),
        (changed(GOOD, 7, "nodes", 1, "nodePosition", "theta"), "validationError", "nodePosition.theta"),
        (changed(GOOD, [], "nodes"), "validationError", "nodes"),
        (changed(GOOD, 8, "nodes", 1, "sequenceId"), "validationError", "don't follow one another"),
        (changed(GOOD, "nX", "edges", 1, "endNodeId"), "validationError", "don't follow one another"),
        (changed(GOOD, False, "nodes", 1, "released"), "validationError", "base doesn't come before"),
        (changed(GOOD, [LIFT], "nodes", 1, "actions"), "orderError", "can't do 'pick'"),
        (changed(GOOD, "cellar", "nodes", 1, "nodePosition", "mapId"), "orderError", "on map 'hall'"),
        (without(GOOD, "nodes", 1, "nodePosition"), "orderError", "needs a nodePosition"),
        (order((5, 0), (6, 0)), "noRouteError", "5.00 m away; allowed: 0.1 m"),
        (changed(GOOD, {"colour": "red"}, "nodes", 1, "custom"), None, ""),  # the schemas forbid no further fields
    ],
)  # fmt: skip
def test_a_new_order_is_refused_by_the_standards_error_types(cart, message, kind, words):
    assert tell(cart, message) == ([kind] if kind else [])
    if kind:
        (error,) = cart.errors
        assert words in error.error_description and error.error_level == "WARNING" and error.error_references
        assert cart.order_id == "" and cart.idle
        assert tell(cart, GOOD) == [], "errors end with the next order that is taken"


@pytest.mark.parametrize("text", ["", "[]", "{", "\x00", '{"headerId": 1}'])
def test_what_is_no_message_at_all(cart, text):
    cart.hear("order", text, (0.0, 0.0))
    cart.hear("instantActions", text, (0.0, 0.0))
    assert [error.error_type for error in cart.errors] == ["validationError", "validationError"]


def test_instant_actions(cart):
    tell(cart, order((0, 0), (2, 0)))
    tell(cart, act("startPause"))
    assert cart.paused and drive(DrivingSpec(), cart, 0.0, 0.0, 0.0) == (0.0, 0.0)
    tell(cart, act("stopPause", "stateRequest"))
    assert not cart.paused and drive(DrivingSpec(), cart, 0.0, 0.0, 0.0)[0] > 0
    assert tell(cart, act("cancelOrder")) == [] and cart.idle and cart.order_id == "o1"
    assert tell(cart, act("cancelOrder", "fly")) == ["noOrderToCancel", "instantActionError"]
    assert [(s.action_type, s.action_status) for s in cart.actions[-2:]] == [
        ("cancelOrder", "FAILED"), ("fly", "FAILED")]  # fmt: skip
    assert [s.action_status for s in cart.actions[:-2]] == ["FINISHED"] * 4


def test_driving_turns_on_the_spot_brakes_for_corners_and_keeps_an_edges_limits(cart):
    spec = DrivingSpec(speed=2.0, turning=1.0, braking=0.5)
    tell(cart, order((0, 0), (10, 0), (10, 10)))
    assert drive(spec, cart, 0.0, 0.0, 0.0) == (2.0, 0.0)
    assert drive(spec, cart, 0.0, 0.0, 1.5) == (0.0, -1.0), "off its way: turn first"
    assert drive(spec, cart, 9.0, 0.0, 0.0)[0] == pytest.approx((2 * 0.5 * 1.0) ** 0.5), "v^2 = 2 a s before a corner"
    straight = Vehicle("hall")
    tell(straight, changed(order((0, 0), (10, 0), (20, 0)), 0.7, "edges", 0, "maxSpeed"))
    assert drive(spec, straight, 5.0, 0.0, 0.0)[0] == 0.7
    straight.move(9.95, 0.0, 0.0)
    assert drive(spec, straight, 9.95, 0.0, 0.0)[0] == 2.0, "its limit was that of the first edge"


def test_a_node_with_an_angle_is_reached_with_that_angle(cart):
    tell(cart, changed(order((0, 0), (2, 0)), 1.0, "nodes", 1, "nodePosition", "theta"))
    assert not cart.move(2.0, 0.0, 0.0) and drive(DrivingSpec(), cart, 2.0, 0.0, 0.0) == (0.0, 1.0)
    assert cart.move(2.0, 0.0, 0.97)


def test_messages_travel_with_the_standards_names():
    parsed = Order.model_validate(changed(GOOD, 0.5, "nodes", 0, "nodePosition", "allowedDeviationXY"))
    assert parsed.nodes[0].node_position.allowed_deviation_x_y == 0.5
    assert json.loads(parsed.text()) == changed(GOOD, 0.5, "nodes", 0, "nodePosition", "allowedDeviationXY")
    required = {"headerId", "timestamp", "version", "manufacturer", "serialNumber", "orderId", "orderUpdateId",
                "lastNodeId", "lastNodeSequenceId", "nodeStates", "edgeStates", "driving", "actionStates",
                "batteryState", "operatingMode", "errors", "safetyState"}  # fmt: skip
    assert set(State.model_json_schema()["required"]) == required, "as in the standard's state.schema"
    with pytest.raises(ValidationError):
        State.model_validate(HEADER)
