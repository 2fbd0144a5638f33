"""Laws of queueing: the network's queues wait as long as theory says."""

import numpy as np
import pytest
from scipy.stats import t as student

from twin.link import Radio
from twin.network.simple import SimpleNetwork, truncated_shannon
from twin.specs import SimpleSpec
from twin.state import LinkState, Packet

BATCHES, PER_BATCH = 30, 4_000


def poisson(rate_per_ns: float, count: int, seed: int) -> list[int]:
    gaps = np.random.default_rng(seed).exponential(1.0 / rate_per_ns, count)
    return np.cumsum(gaps).astype(np.int64).tolist()


def one_link(gain_db: float) -> LinkState:
    none = np.empty(0)
    return LinkState(
        0, np.array([0], np.int32), np.array([1], np.int32), np.array([gain_db]), np.array([True]),
        np.array([0, 0]), none.astype(complex), none, none, none.reshape(0, 3), none.reshape(0, 3),
    )  # fmt: skip


def carry(network: SimpleNetwork, created: list[int], size: int, links: LinkState) -> np.ndarray:
    packets = [Packet(0, 2, "telemetry", i, size, t, t, None) for i, t in enumerate(created)]
    network.send(packets)
    delivered = [p for batch in network.run(2**62, links) for p in batch.packets]
    assert len(delivered) == len(packets)
    return np.array([p.arrived - p.created for p in packets])


def radios() -> list[Radio]:
    mount = (0.0, 0.0, 0.0)
    return [Radio(0, 0, 0, mount, 3.5e9), Radio(1, 1, None, mount, 3.5e9, role="cell")]


def confidence(waits: np.ndarray, level: float = 0.999) -> float:
    """Half width of the confidence interval of a mean, by batch means: batches span many relaxation times."""
    means = waits.reshape(BATCHES, -1).mean(axis=1)
    return student.ppf(0.5 + level / 2, BATCHES - 1) * means.std(ddof=1) / np.sqrt(BATCHES)


@pytest.mark.parametrize("load", [0.3, 0.6, 0.9])
def test_m_d_1_waiting_time(load):
    """Pollaczek-Khinchine with constant service S: mean wait = load S / (2 (1 - load))."""
    spec = SimpleSpec(kind="simple", backhaul=0, discard="1 h")
    network = SimpleNetwork(spec, ["a", "cell", "edge"], [True, False, True], radios())
    rate = float(truncated_shannon(spec, np.array([100.0]))[0])
    service = round(8 * 1000 * 1e9 / rate)
    created = poisson(load / service, BATCHES * PER_BATCH, seed=1)
    waits = carry(network, created, 1000, one_link(0.0)) - service
    theory = load * service / (2 * (1 - load))
    assert waits.mean() == pytest.approx(theory, abs=confidence(waits))


def test_a_fifo_queue_obeys_lindleys_recursion_to_the_nanosecond():
    spec = SimpleSpec(kind="simple", backhaul="3 ms")
    network = SimpleNetwork(spec, ["a", "cell", "edge"], [True, False, False], radios())
    service = round(8 * 1000 * 1e9 / float(truncated_shannon(spec, np.array([100.0]))[0]))
    created = poisson(0.8 / service, 500, seed=2)
    free, expected = 0, []
    for time in created:
        free = max(free, time) + service
        expected.append(free - time + 3_000_000)
    assert carry(network, created, 1000, one_link(0.0)).tolist() == expected
