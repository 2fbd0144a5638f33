import numpy as np
import pytest

from twin.channel.freespace import FreeSpace
from twin.errors import RunError, ScenarioError
from twin.link import SPEED_OF_LIGHT, Radio
from twin.state import BodyState

HALF = np.sqrt(0.5)


def one_body(position, orientation=(0.0, 0.0, 0.0, 1.0), velocity=(0.0, 0.0, 0.0), turning=(0.0, 0.0, 0.0)):
    return BodyState(
        position=np.array([position], dtype=float),
        orientation=np.array([orientation], dtype=float),
        velocity=np.array([velocity], dtype=float),
        angular_velocity=np.array([turning], dtype=float),
        joint_position=np.zeros(0),
        joint_velocity=np.zeros(0),
        joint_offset=np.zeros(2, dtype=np.int64),
    )


def radio(index, owner, body=None, mount=(0.0, 0.0, 0.0), **more):
    return Radio(index=index, owner=owner, body=body, mount=mount, **({"carrier": 3.5e9} | more))


def test_pairs_share_a_carrier_and_no_owner():
    radios = [radio(0, 0), radio(1, 1), radio(2, 1, carrier=28e9), radio(3, 2), radio(4, 3, carrier=28e9)]
    links = FreeSpace(radios).trace(0, one_body((1.0, 0.0, 0.0)))
    assert list(zip(links.a.tolist(), links.b.tolist(), strict=True)) == [(0, 1), (0, 3), (1, 3), (2, 4)]


def test_a_radio_moves_and_turns_with_its_body():
    """2 m ahead on a body that faces north (+y) it sits 2 m north, and a positive yaw rate moves it west."""
    channel = FreeSpace([radio(0, 0), radio(1, 1, body=0, mount=(2.0, 0.0, 0.0))])
    state = one_body((0.0, 10.0, 0.0), (0.0, 0.0, HALF, HALF), turning=(0.0, 0.0, 3.0))
    position, velocity = channel.radios.motion(0, state)
    np.testing.assert_allclose(position[1], [0.0, 12.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(velocity[1], [-6.0, 0.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(channel.trace(0, state).path_departure[0], [0.0, 1.0, 0.0], atol=1e-12)


def test_gains_of_both_antennas_count():
    plain = FreeSpace([radio(0, 0), radio(1, 1, body=0)]).trace(0, one_body((50.0, 0.0, 0.0)))
    more = FreeSpace([radio(0, 0, gain_db=8.0), radio(1, 1, body=0, gain_db=3.0)])
    gained = more.trace(0, one_body((50.0, 0.0, 0.0))).path_gain_db - plain.path_gain_db
    assert gained[0] == pytest.approx(11.0)


def test_nearer_than_friis_holds_is_counted_and_never_amplifies():
    channel = FreeSpace([radio(0, 0), radio(1, 1, body=0)])
    for distance in (0.0, 0.5 * SPEED_OF_LIGHT / 3.5e9 / (4 * np.pi)):
        links = channel.trace(0, one_body((distance, 0.0, 0.0)))
        assert links.path_gain_db[0] == pytest.approx(0.0, abs=1e-12)
    assert channel.counts == {"links_clipped_at_0_db": 2}


def test_a_position_that_is_no_number_is_an_error_with_its_place():
    channel = FreeSpace([radio(0, 0), radio(1, 7, body=0)])
    with pytest.raises(RunError, match="radio 1 of node 7 at t = 5 ns"):
        channel.trace(5, one_body((np.nan, 0.0, 0.0)))


@pytest.mark.parametrize("carrier", [0.4e9, 301e9])
def test_a_carrier_outside_the_range_is_an_error(carrier):
    with pytest.raises(ScenarioError, match="0.5 GHz to 300 GHz"):
        FreeSpace([radio(0, 0, carrier=carrier)])


class TestPeers:
    """Two terminals: a link where there is no cell on their carrier, or if the scenario says so."""

    def pairs(self, peers, *, cells, body=None):
        radios = [radio(0, 0, body=0), radio(1, 1)]
        radios += [radio(2, 2, role="cell"), radio(3, 3, body=body, role="cell")] * cells
        channel = FreeSpace(radios, peers=peers)
        return list(zip(channel.radios.a.tolist(), channel.radios.b.tolist(), strict=True))

    @pytest.mark.parametrize("body", [None, 1])
    def test_among_cells_only_links_to_cells_whatever_carries_them(self, body):
        assert self.pairs(None, cells=True, body=body) == [(0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
        assert self.pairs(True, cells=True, body=body)[0] == (0, 1)

    def test_without_a_cell_they_talk_to_each_other(self):
        assert self.pairs(None, cells=False) == [(0, 1)]
        assert self.pairs(False, cells=False) == []
