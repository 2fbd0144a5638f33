"""What a vehicle does with its orders: takes or refuses them, and knows which node is next (VDA 5050, chapter 6.6)."""

from __future__ import annotations

from itertools import pairwise
from math import atan2, cos, hypot, pi, sin
from typing import Any, TypeVar

from pydantic import ValidationError

from twin.interfaces.vda5050.messages import (
    ActionState,
    ActionStatus,
    Edge,
    EdgeState,
    ErrorReference,
    InstantActions,
    Message,
    Node,
    NodeState,
    Order,
    VdaAction,
    VdaError,
)

_M = TypeVar("_M", bound=Message)
REACHED = 0.1
"""m from a node that count as being there where the node says nothing."""
REACHED_ANGLE = 0.05
"""rad from a node's angle that count as having it where the node says nothing."""


class Refused(Exception):
    """An order or action that the vehicle doesn't take: error type of the standard, words, references."""

    def __init__(self, error_type: str, words: str, **references: object) -> None:
        super().__init__(words)
        pairs = [ErrorReference(reference_key=key, reference_value=str(value)) for key, value in references.items()]
        self.error = VdaError(
            error_type=error_type, error_description=words, error_references=pairs, error_level="WARNING"
        )


class Vehicle:
    """The orders of one vehicle: what is left of the present one, actions, errors."""

    def __init__(self, map_id: str) -> None:
        self.map_id = map_id
        self.order_id, self.order_update_id = "", 0
        self.last_node_id, self.last_node_sequence_id = "", 0
        self.nodes: list[Node] = []  # still to be reached
        self.edges: list[Edge] = []
        self.actions: list[ActionState] = []
        self.errors: list[VdaError] = []
        self.paused = False

    @property
    def idle(self) -> bool:
        """Tell whether nothing is left to do."""
        return not self.nodes

    @property
    def next_node(self) -> Node | None:
        """The node to go to, None at the end of the base."""
        return self.nodes[0] if self.nodes and self.nodes[0].released else None

    @property
    def edge(self) -> Edge | None:
        """The edge that leads to the next node."""
        node = self.next_node
        if node is None or not self.edges or self.edges[0].sequence_id > node.sequence_id:
            return None
        return self.edges[0]

    def hear(self, topic: str, text: str, place: tuple[float, float]) -> bool:
        """Take a message in; what can't be done becomes an error of the state. True: a state is asked for at once."""
        try:
            if topic == "order":
                self._take_order(_read(Order, text, topic), place)
                return True
            return self._take_actions(_read(InstantActions, text, topic))
        except Refused as refused:
            self.errors.append(refused.error)
            return True

    def move(self, x: float, y: float, theta: float) -> bool:
        """Tick off the nodes that the vehicle is at; return whether there was one."""
        found = False
        while (node := self.next_node) is not None and is_at(node, x, y, theta):
            self.nodes.pop(0)
            self.edges = [edge for edge in self.edges if edge.sequence_id > node.sequence_id]
            self.last_node_id, self.last_node_sequence_id = node.node_id, node.sequence_id
            found = True
        return found

    def node_states(self) -> list[NodeState]:
        """Return the nodes that are left as a state tells them."""
        return [
            NodeState(node_id=n.node_id, sequence_id=n.sequence_id, node_position=n.node_position, released=n.released)
            for n in self.nodes
        ]

    def edge_states(self) -> list[EdgeState]:
        """Return the edges that are left, the present one included, as a state tells them."""
        return [EdgeState(edge_id=e.edge_id, sequence_id=e.sequence_id, released=e.released) for e in self.edges]

    def _take_order(self, order: Order, place: tuple[float, float]) -> None:
        about = {"orderId": order.order_id, "orderUpdateId": order.order_update_id, "topic": "order"}
        if order.order_id == self.order_id and order.order_update_id == self.order_update_id:
            return  # sent again: nothing new
        self._check(order, about)
        base: tuple[list[Node], list[Edge]] = [], []
        end = -1
        if order.order_id != self.order_id:
            self._check_start(order, place, about)
            self.actions = []
        else:
            end = self._check_update(order, about)
            base = [n for n in self.nodes if n.released], [e for e in self.edges if e.released]
        nodes = sorted(order.nodes, key=lambda node: node.sequence_id)
        edges = sorted(order.edges, key=lambda edge: edge.sequence_id)
        self.nodes = base[0] + [node for node in nodes if node.sequence_id > end]
        self.edges = base[1] + [edge for edge in edges if edge.sequence_id > end]
        self.order_id, self.order_update_id = order.order_id, order.order_update_id
        self.errors = []

    def _check_start(self, order: Order, place: tuple[float, float], about: dict[str, Any]) -> None:
        if not self.idle:
            raise Refused("orderError", f"order {self.order_id} isn't finished: cancel it first", **about)
        first = min(order.nodes, key=lambda node: node.sequence_id)
        if first.node_id == self.last_node_id:
            return
        away = _distance(first, *place)
        if away > _tolerance(first):
            words = f"the first node is {away:.2f} m away; allowed: {_tolerance(first):g} m, or the last node"
            raise Refused("noRouteError", words, nodeId=first.node_id, **about)

    def _check_update(self, order: Order, about: dict[str, Any]) -> int:
        """Return the sequenceId of the last node of the base, which an update goes on from."""
        if order.order_update_id < self.order_update_id:
            words = f"orderUpdateId {order.order_update_id} after {self.order_update_id}"
            raise Refused("orderUpdateError", words, **about)
        base = [(node.node_id, node.sequence_id) for node in self.nodes if node.released]
        end = base[-1] if base else (self.last_node_id, self.last_node_sequence_id)
        first = min(order.nodes, key=lambda node: node.sequence_id)
        if (first.node_id, first.sequence_id) != end:
            words = f"an update begins where the base ends: {end[0]!r}, sequenceId {end[1]}"
            raise Refused("orderUpdateError", words, nodeId=first.node_id, **about)
        return end[1]

    def _check(self, order: Order, about: dict[str, Any]) -> None:
        """Refuse an order that is no way through nodes, or that needs what this vehicle can't do."""
        nodes = sorted(order.nodes, key=lambda node: node.sequence_id)
        edges = sorted(order.edges, key=lambda edge: edge.sequence_id)
        first = nodes[0].sequence_id
        numbers = first % 2 == 0 and all(node.sequence_id == first + 2 * i for i, node in enumerate(nodes))
        numbers = numbers and [edge.sequence_id for edge in edges] == [node.sequence_id + 1 for node in nodes[:-1]]
        ends = [(edge.start_node_id, edge.end_node_id) for edge in edges]
        if not numbers or ends != [(a.node_id, b.node_id) for a, b in pairwise(nodes)]:
            words = "nodes (even sequenceId) and the edges between them (odd) don't follow one another"
            raise Refused("validationError", words, **about)
        base = [node.released for node in nodes]
        if not base[0] or base != sorted(base, reverse=True) or [edge.released for edge in edges] != base[1:]:
            raise Refused("validationError", "the base doesn't come before the horizon", **about)
        self._check_ability(order, about)

    def _check_ability(self, order: Order, about: dict[str, Any]) -> None:
        for actions in (*(node.actions for node in order.nodes), *(edge.actions for edge in order.edges)):
            for action in actions:
                words = f"this vehicle can't do {action.action_type!r}: it only drives"
                raise Refused("orderError", words, actionId=action.action_id, **about)
        for node in order.nodes:
            if node.node_position is None or node.node_position.map_id != self.map_id:
                words = f"every node needs a nodePosition on map {self.map_id!r}"
                raise Refused("orderError", words, nodeId=node.node_id, **about)
        for edge in order.edges:
            if edge.trajectory is not None:
                words = "this vehicle drives straight from node to node: it takes no trajectory"
                raise Refused("orderError", words, edgeId=edge.edge_id, **about)

    def _take_actions(self, message: InstantActions) -> bool:
        for action in message.actions:
            state = ActionState(action_id=action.action_id, action_type=action.action_type,
                                action_status=ActionStatus.FINISHED)  # fmt: skip
            try:
                self._do(action)
            except Refused as refused:
                self.errors.append(refused.error)
                state.action_status = ActionStatus.FAILED
                state.result_description = str(refused)
            self.actions.append(state)
        return bool(message.actions)

    def _do(self, action: VdaAction) -> None:
        match action.action_type:
            case "startPause":
                self.paused = True
            case "stopPause":
                self.paused = False
            case "cancelOrder":
                if self.idle:
                    raise Refused("noOrderToCancel", "there is no order to cancel", actionId=action.action_id)
                self.nodes, self.edges = [], []
            case "stateRequest":
                pass  # a state follows every instant action
            case other:
                words = f"no {other!r}; allowed: cancelOrder, startPause, stopPause, stateRequest"
                raise Refused("instantActionError", words, actionId=action.action_id)


def is_at(node: Node, x: float, y: float, theta: float) -> bool:
    """Tell whether a pose is within a node's allowed deviations."""
    assert node.node_position is not None, "orders without positions are refused"
    position = node.node_position
    if _distance(node, x, y) > _tolerance(node):
        return False
    allowed = REACHED_ANGLE if position.allowed_deviation_theta is None else position.allowed_deviation_theta
    return position.theta is None or abs(turn(position.theta - theta)) <= allowed


def turn(angle: float) -> float:
    """Return an angle [rad] as one from -pi to pi."""
    return atan2(sin(angle), cos(angle)) if abs(angle) > pi else angle


def _distance(node: Node, x: float, y: float) -> float:
    assert node.node_position is not None, "orders without positions are refused"
    return hypot(node.node_position.x - x, node.node_position.y - y)


def _tolerance(node: Node) -> float:
    """Return the metres from a node that count as being there; finer than `REACHED` is not possible."""
    assert node.node_position is not None, "orders without positions are refused"
    return max(node.node_position.allowed_deviation_x_y or 0.0, REACHED)


def _read(model: type[_M], text: str, topic: str) -> _M:
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in wrong["loc"]) or "the text"
        raise Refused("validationError", f"{topic}: {where}: {wrong['msg']}", topic=topic) from error
