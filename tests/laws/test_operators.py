"""Several operators in one run: what is on another carrier doesn't matter, what is on the same one interferes."""

import os
import subprocess
import sys
from hashlib import sha256

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.link import Radio
from twin.network.nr.network import NrNetwork
from twin.specs.nr import BackgroundSpec, NrSpec
from twin.state import LinkState, Packet

MS = 1_000_000
NAMES = ["mine", "theirs", "my-cell", "their-cell", "edge"]


def network(their_carrier: float, loaded: bool) -> tuple[NrNetwork, LinkState]:
    """One terminal and one cell of each operator; each hears its own cell 6 dB better than the other's."""
    origin = (0.0, 0.0, 0.0)
    frequency = {"mine": 3.5e9, "theirs": their_carrier}
    radios = [Radio(0, 0, 0, origin, 3.5e9), Radio(1, 1, 1, origin, their_carrier)]
    cells = enumerate((3.5e9, their_carrier), start=2)
    radios += [Radio(i, i, None, origin, carrier, 0.0, 46.0, role="cell") for i, carrier in cells]
    carriers = {name: {"frequency": hertz} for name, hertz in frequency.items() if hertz != 3.5e9 or name == "mine"}
    full = BackgroundSpec(model="full-buffer", terminals=("theirs",))
    spec = NrSpec(kind="nr", carriers=carriers, background=(full,) if loaded else ())
    made = NrNetwork(spec, 1, NAMES, [True, True, False, False, False], radios)
    a, b = (x.ravel().astype(np.int32) for x in np.indices((2, 2)))
    gain = np.where(a == b, -100.0, -106.0)
    links = LinkState(
        0, a, b + np.int32(2), gain, np.ones(4, dtype=bool), np.arange(5), np.ones(4, dtype=complex), np.zeros(4),
        np.zeros(4), np.zeros((4, 3)), np.zeros((4, 3)),
    )  # fmt: skip
    return made, links


def commands(their_carrier: float, loaded: bool, size: int = 5000) -> list[tuple[int, int]]:
    """Return arrival and transmissions of commands to my terminal."""
    made, links = network(their_carrier, loaded)
    sent = [Packet(4, 0, "command", k, size, (30 + 10 * k) * MS, 0, None) for k in range(40)]
    made.send(sent)
    list(made.run(1000 * MS, links))
    assert all(packet.fate == "delivered" for packet in sent)
    return [(packet.arrived, packet.downlink.transmissions) for packet in sent]


def test_the_load_of_an_operator_on_another_carrier_changes_nothing():
    assert commands(3.6e9, loaded=True) == commands(3.6e9, loaded=False)


def test_the_load_of_a_neighbour_on_the_same_carrier_costs_time():
    """6 dB of signal to interference in place of 30 dB of signal to noise: fewer bits a slot, and more losses."""
    free, disturbed = (np.array(commands(3.5e9, loaded)) for loaded in (False, True))
    assert (disturbed[:, 0] >= free[:, 0]).all()
    assert (disturbed[:, 0] - free[:, 0]).mean() > 0.5 * MS
    assert disturbed[:, 1].sum() > free[:, 1].sum()


PACKETS = st.lists(
    st.tuples(st.sampled_from([(0, 4), (1, 4), (4, 0), (4, 1), (0, 1)]), st.integers(1, 20_000), st.integers(0, 60)),
    min_size=1, max_size=40,
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(PACKETS, st.integers(20, 400), st.booleans())
def test_every_packet_is_settled_once_or_still_queued_whatever_is_sent(wanted, stop, same):
    made, links = network(3.5e9 if same else 3.6e9, loaded=False)
    sent = [Packet(*ends, "any", k, size, time * MS, 0, None) for k, (ends, size, time) in enumerate(wanted)]
    made.send(sent)
    handed = [packet for batch in made.run(stop * MS, links) for packet in batch.packets]
    settled, queued = made.settled(), made.queued()
    assert sorted(map(id, settled + queued)) == sorted(map(id, sent))
    assert {id(p) for p in handed} == {id(p) for p in settled if p.fate == "delivered"}
    assert all(p.created < p.arrived <= stop * MS for p in handed)


PRINT_DIGEST = """
import sys
sys.path.insert(0, sys.argv[1])
import test_operators
print(test_operators.digest())
"""


def digest() -> str:
    return sha256(repr(commands(3.5e9, loaded=True)).encode()).hexdigest()


def test_another_process_with_another_hash_seed_finds_the_same():
    folder = os.path.dirname(__file__)
    environment = os.environ | {"PYTHONHASHSEED": "12345"}
    asked = [sys.executable, "-c", PRINT_DIGEST, folder]
    found = subprocess.run(asked, env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == digest()
