"""Beams: how far apart a codebook's are, how long a sweep and a recovery take, and where a beam interferes."""

import numpy as np
import pytest
from scipy.integrate import quad

from twin.link import Radio
from twin.network.nr import carrier_state as cs
from twin.network.nr.carrier import Carrier
from twin.network.nr.codebook import Panels, Paths, aim, choice, measure, row_powers, spill
from twin.network.nr.network import NrNetwork
from twin.specs import AntennaSpec
from twin.specs.nr import CarrierSpec, MobilitySpec, NrSpec, QosSpec
from twin.state import Packet, TracedLinks, no_links

MS, SLOT = 1_000_000, 500_000
ORIGIN = (0.0, 0.0, 0.0)
N1, N2 = 10 * SLOT // 14, 12 * SLOT // 14
BURST = 2 * SLOT  # four SSB, two in a slot


def array_factor(n: int, x: float) -> float:
    """Return the power of n elements in a row, x apart in phase, to that of n in phase: by adding them up."""
    return float(abs(np.exp(1j * x * np.arange(n)).mean()) ** 2)


def one_path(phases: list[tuple[float, float]], rows: int, columns: int) -> tuple[Paths, Panels]:
    """Return terminals without arrays, one path each to one cell, at these phases between rows and columns."""
    count = len(phases)
    first = np.arange(count).reshape(-1, 1)
    phase = np.zeros((2, count, 2))
    phase[1] = phases
    paths = Paths(first, first + 1, np.full(count, 0.5 + 0j), phase)
    ones = np.ones(count, dtype=np.int64)
    shape = np.array([[rows, columns]])
    panels = Panels(shape, np.ones((count, 2), dtype=np.int64), np.array([rows * columns]), ones, np.ones_like(first))
    return paths, panels


@pytest.mark.parametrize("n", [1, 2, 7, 8])
def test_powers_of_a_row_are_the_array_factor_and_add_up_to_one(n):
    """Beams 2 pi k / n are orthogonal (Parseval): what one loses, the others get."""
    out = np.empty(n)
    for phase in (0.0, 0.3, -2.9, 3.1, 2 * np.pi / n, 40.0):
        row_powers(n, np.sin(np.pi / n), np.cos(np.pi / n), phase, out)
        assert out == pytest.approx([array_factor(n, phase - 2 * np.pi * k / n) for k in range(n)], abs=1e-12)
        assert out.sum() == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize(("rows", "columns"), [(1, 8), (4, 8), (8, 8)])
def test_a_swept_beam_loses_what_lies_between_two_beams_of_the_codebook(rows, columns):
    """Scalloping: 1 / (n sin(pi / (2 n)))^2 midway, 3.87 dB for 8; its mean is the integral over half a step."""
    rng = np.random.default_rng(3)
    phases = [*map(tuple, rng.uniform(-np.pi, np.pi, (4000, 2)).tolist()), (np.pi / rows, np.pi / columns), (0.0, 0.0)]
    paths, panels = one_path(phases, rows, columns)
    best = choice(len(phases), 1)
    measure(paths, panels, (0, rows * columns), 0, best)
    gain = best.power[:, 0] / (0.25 * rows * columns)
    worst = np.prod([1 / (n * np.sin(np.pi / (2 * n))) ** 2 for n in (rows, columns)])
    assert gain[-1] == pytest.approx(1.0, abs=1e-12) and gain[-2] == pytest.approx(worst, abs=1e-12)
    assert (gain[:-2] >= worst - 1e-12).all() and (gain <= 1.0 + 1e-12).all()
    mean = np.prod([quad(lambda x, n=n: array_factor(n, x), 0, np.pi / n)[0] * n / np.pi for n in (rows, columns)])
    assert gain[:-2].mean() == pytest.approx(mean, abs=5 * gain.std() / np.sqrt(4000))


def test_a_beam_that_points_elsewhere_spills_the_array_factor():
    """Of 8 columns, to the terminal's own beam: |AF(h - 2 pi k / 8)|^2 / |AF(h - 2 pi b / 8)|^2."""
    h = 2 * np.pi * 2.3 / 8
    paths, panels = one_path([(0.0, h)], 1, 8)
    used, found = choice(1, 1), np.zeros((1, 8))
    used.cell[0, 0] = 2
    aim(paths, panels, used, np.zeros(1, dtype=complex))
    assert used.power[0, 0] == pytest.approx(0.25 * 8 * array_factor(8, h - 2 * np.pi * 2 / 8))
    spill(paths, panels, used, np.array([-1]), np.array([0, 8]), found)
    factors = np.array([array_factor(8, h - 2 * np.pi * k / 8) for k in range(8)])
    assert found[0] == pytest.approx(factors / factors[2], rel=1e-9)


def two_cells(spilt: np.ndarray, beam: int) -> Carrier:
    """Cells 0 and 1 with 8 beams each serve terminals 0 and 1; the other's beams come through at `spilt` (8,)."""
    spec = CarrierSpec(duplex="fdd", resource_blocks=50, transmissions=1, combining="chase", control="ideal")
    made = Carrier(spec, [QosSpec()], ["t0", "t1"], 2, seed=1, segment_header=5, ahead=0)
    made.set_beams(np.array([8, 8]), 1)
    made.state.ratio[:] = np.array([[100.0, 50.0], [50.0, 100.0]])
    made.state.spill[0, 8:] = made.state.spill[1, :8] = spilt
    made.state.beam[:] = beam
    made.report(np.full(2, 20.0), np.full(2, 20.0))
    for terminal in range(2):
        made.attach(terminal, terminal, 0)
    return made


@pytest.mark.parametrize("way", [cs.DOWN, cs.UP])
@pytest.mark.parametrize("beam", [1, 6])
def test_who_is_served_decides_where_a_cell_interferes_and_what_it_hears(way, beam):
    """Both blocks lie in the same resource blocks: the rest is 1 + 50 spill(beam of the other, or of the own, cell).

    In a group of 4 resource blocks a block is heard by the share that it takes of it.
    """
    factors = np.array([array_factor(8, 2 * np.pi * (2.3 - k) / 8) for k in range(8)])
    made = two_cells(factors, beam)
    columns = np.array([way, 2 + way]), np.full(2, 150), np.zeros(2, int), np.zeros(2, int), np.arange(2)
    made.enter(np.stack(columns, axis=1))
    made.advance(20 * MS, False)
    for terminal in range(2):
        block = made.state.blocks[(2 * terminal + way) * cs.HARQ_PROCESSES]
        power = 1.0 if way == cs.DOWN else 1.0 / block["prbs"]
        counts = np.bincount(np.arange(block["prbs"]) // 4)
        ratio = 100.0 * power / (1.0 + 50.0 * power * factors[beam] * counts / 4) / made.state.config.gap
        assert block["start"] == 0
        assert np.log1p(block["snr"]) == pytest.approx((counts * np.log1p(ratio)).sum() / block["prbs"], rel=1e-9)


def test_a_transmission_as_long_as_the_slot_is_heard_through_its_beam_to_the_end():
    """Three occasions a slot; the other cell sends in each of them, so that each is looked at."""
    spec = CarrierSpec(duplex="fdd", resource_blocks=50, symbols=4, control="ideal")
    classes = [QosSpec(duration="slot"), QosSpec()]
    made = Carrier(spec, classes, ["t0", "t1"], 2, seed=1, segment_header=5, ahead=0)
    made.set_beams(np.array([8, 8]), 1)
    made.state.ratio[:] = np.array([[100.0, 0.0], [0.0, 100.0]])
    made.state.beam[:] = 6
    made.report(np.full(2, 20.0), np.full(2, 20.0))
    for terminal in range(2):
        made.attach(terminal, terminal, 0)
    ready = np.array([SLOT, SLOT, SLOT + 4 * SLOT // 14, SLOT + 8 * SLOT // 14])
    bearers = np.array([2 * cs.DOWN, *[2 * (2 + cs.DOWN) + 1] * 3])
    made.enter(np.stack([bearers, np.array([400, 30, 30, 30]), ready, ready, np.arange(4)], axis=1))
    made.advance(2 * SLOT - 1, False)
    heard = made.state.load_sum[:8].sum(axis=1)
    prbs = int(made.state.blocks[cs.DOWN * cs.HARQ_PROCESSES]["prbs"])
    assert made.state.blocks[cs.DOWN * cs.HARQ_PROCESSES]["length"] == 3
    assert heard[6] == pytest.approx(3 * prbs / 4, abs=3 * 0.5) and heard[:6].sum() == heard[7] == 0.0


def network(
    columns: int = 8, own: int = 1, beam: str = "dft", lookahead: int = 0, power: float = 23.0, **settings
) -> NrNetwork:
    """One cell with an array in a row, one terminal, at 30 kHz; bursts of 4 SSB each 20 ms unless stated."""
    carrier = {"duplex": "fdd", "resource_blocks": 100, "ssb_beams": 4, "false_alarm": 1e-6} | settings
    antenna = AntennaSpec(columns=columns, beam=beam)
    radios = [Radio(0, 0, 0, ORIGIN, 3.5e9, power_dbm=power, antenna=AntennaSpec(columns=own))]
    radios.append(Radio(1, 1, None, ORIGIN, 3.5e9, 0.0, 30.0, antenna=antenna, role="cell"))
    spec = NrSpec(kind="nr", carriers={"n78": CarrierSpec(**carrier)}, mobility=MobilitySpec(t310="1 s"))
    return NrNetwork(spec, 1, ["drone", "mast", "edge"], [True, False, False], radios, lookahead)


def links(time: int, paths: dict[float, float]) -> TracedLinks:
    """Return one link with a path at each beam (of 8 columns; halves lie between two) of that gain [dB].

    The paths of odd beams come in phase at the terminal, those of even beams in its beam 1 of 2.
    """
    element = np.array([10 ** (db / 20) for db in paths.values()], dtype=complex)
    count, phase = len(element), np.zeros((2, len(element), 2))
    phase[1, :, 1] = 2 * np.pi * np.array(list(paths)) / 8
    phase[0, :, 1] = np.pi * (np.array(list(paths)) % 2 == 0)
    none = np.zeros(1)
    return TracedLinks(
        time, np.array([0], dtype=np.int32), np.array([1], dtype=np.int32), none - 80, none == 0, np.array([0, count]),
        element, np.zeros(count), np.zeros(count), np.zeros((count, 3)), np.zeros((count, 3)),
        np.zeros(count, dtype=np.int32), np.zeros((count, 0, 3)), none, none, none, np.zeros((1, 2)), none,
        np.zeros((1, 2), dtype=np.int32), element, phase, np.zeros((count, 2, 2), dtype=complex),
        np.zeros((count, 0), dtype=np.int32), np.zeros((count, 0), dtype=np.int32),
    )  # fmt: skip


def fly(made: NrNetwork, before: dict[float, float], after: dict[float, float], change: int, steps: int = 250):
    """Step by a millisecond through a change of paths [ms]; return when the beam in use changed [ns], and events."""
    turned, beams = [], made.bands[0].beams
    last = None
    for k in range(steps):
        state = links(k * MS, before if k < change else after)
        for part in range(1, 15):  # looked at each 1/14 ms: what is found is no later than that
            list(made.run(k * MS + part * MS // 14, state))
            now = int(beams.used.cell[0, 0])
            if now != last:
                turned.append((k * MS + part * MS // 14, now))
            last = now
    return turned[1:], made.events()


def test_a_better_beam_is_used_from_the_end_of_its_sweep_and_the_delay_on():
    """Beams 4 to 7 go in each second burst, at 20, 60, ... ms; the path appears at 45 ms and is met at 60 ms."""
    made = network(beam_delay="7 ms")
    turned, events = fly(made, {1: -90.0}, {1: -90.0, 6: -84.0}, change=45)
    ((time, beam),) = turned
    expected = 60 * MS + BURST + 7 * MS
    assert beam == 6 and expected <= time <= expected + MS // 14
    assert events == [] and made.counts["beam_switches"] == 1


@pytest.mark.parametrize(("own", "last_burst_ms"), [(1, 60), (2, 60), (4, 140)])
def test_a_terminal_with_an_array_takes_as_many_bursts_as_it_has_beams(own, last_burst_ms):
    """8 SSB a burst, one own beam a burst: a sweep is `own` bursts; the path comes in its beam `own` / 2, or in any."""
    made = network(own=own, ssb_beams=8, beam_delay="7 ms")
    turned, _ = fly(made, {1: -90.0}, {1: -90.0, 6: -84.0}, change=45)
    ((time, beam),) = turned
    sweep_end = last_burst_ms * MS + 2 * BURST  # of four bursts: those at 0 to 60 ms, then at 80 to 140 ms
    assert made.bands[0].beams.bursts == own
    assert beam == 6 and sweep_end + 7 * MS <= time <= sweep_end + 7 * MS + MS // 14
    assert made.bands[0].beams.used.terminal[0, 0] == own // 2


def test_maximum_ratio_has_no_codebook_and_is_counted():
    made = network(beam="mrc")
    assert made.bands[0].beams is None
    assert made.counts == {"arrays_ideal": 1}


def test_one_array_of_maximum_ratio_makes_all_of_its_carrier_ideal():
    antennas = enumerate(AntennaSpec(columns=2, beam=beam) for beam in ("mrc", "dft"))
    radios = [Radio(i, i, i, ORIGIN, 3.5e9, antenna=antenna) for i, antenna in antennas]
    radios.append(Radio(2, 2, None, ORIGIN, 3.5e9, antenna=AntennaSpec(columns=8), role="cell"))
    made = NrNetwork(NrSpec(kind="nr"), 1, ["one", "two", "mast"], [True, True, False], radios)
    assert made.bands[0].beams is None
    assert made.counts == {"arrays_ideal": 3}


def test_an_array_that_serves_nobody_has_nothing_to_choose():
    mast = Radio(0, 0, None, ORIGIN, 3.5e9, antenna=AntennaSpec(columns=8), role="cell")
    made = NrNetwork(NrSpec(kind="nr"), 1, ["mast", "edge"], [False, False], [mast])
    assert list(made.run(MS, no_links())) == [] and made.bands[0].beams is None


@pytest.mark.parametrize("own", [1, 6])
def test_of_equal_beams_the_one_in_use_stays(own):
    """Whichever of the two is swept first."""
    turned, _ = fly(network(), {own: -90.0}, {1: -90.0, 6: -90.0}, change=45, steps=150)
    assert turned == []


@pytest.mark.parametrize(("burst", "preamble_ms"), [(8, 90), (4, 110)])
def test_a_lost_beam_is_recovered_in_the_steps_of_its_procedure(burst, preamble_ms):
    """4 periods of 10 ms, N2 + 0.5 ms, the next PRACH occasion, 4 slots, the response: its slot and N1 in the terminal.

    Where a sweep takes two bursts, that at 40 and 60 ms still met the old beam: the one at 80 and 100 ms knows the new.
    """
    made = network(beam_failure_count=4, ssb_beams=burst)
    turned, events = fly(made, {1: -90.0, 6: -96.0}, {6: -96.0}, change=45)
    failed, recovered = events
    detected = 50 * MS + 3 * 10 * MS  # out of sync at 50, 60, 70, 80 ms
    assert (failed.kind, failed.time, failed.robot, failed.detail) == ("beam failure", detected, "drone", "mast")
    answered = preamble_ms * MS + 4 * SLOT + SLOT + N1
    assert (recovered.kind, recovered.time) == ("beam recovery", pytest.approx(answered, abs=2))
    assert recovered.value == pytest.approx((answered - detected) / 1e9, abs=1e-8)
    assert recovered.detail.startswith("mast after ")
    ((time, beam),) = turned
    assert beam == 6 and answered - 2 <= time <= answered + MS // 14
    counts = made.counts
    assert counts["beam_failures"] == counts["beam_recoveries"] == 1 and "beam_switches" not in counts, "no report"
    assert counts["beam_recovery_longest_ms"] == round((answered - detected) / 1e6)


def test_a_short_fade_is_no_beam_failure():
    """Two instances, then in sync for longer than the timer, then two more: never four in a row."""
    made = network(beam_failure_count=4, beam_failure_timer=2)
    for k in range(160):
        faded = 45 <= k < 65 or 105 <= k < 125
        list(made.run((k + 1) * MS, links(k * MS, {1: -170.0 if faded else -90.0})))
    assert made.events() == [] and "beam_failures" not in made.counts
    assert made.counts["beam_recovery_longest_ms"] == 0, "a requirement can be judged"


def test_each_preamble_goes_to_the_best_beam_of_the_last_sweep():
    """TS 38.321 5.1.2. At -60 dBm beam 6 hears none of them (energy to noise 0.005); beam 3 does, from 125 ms on."""
    made = network(power=-60.0, beam_failure_count=4, ssb_beams=8)
    for k in range(250):
        paths = {1: -90.0} if k < 45 else {6: -96.0} if k < 125 else {6: -96.0, 3: -46.0}
        list(made.run((k + 1) * MS, links(k * MS, paths)))
    failed, recovered = made.events()
    assert (failed.kind, recovered.kind) == ("beam failure", "beam recovery")
    assert made.bands[0].beams.used.cell[0, 0] == 3
    assert recovered.time > 140 * MS + 2 * BURST, "the end of the sweep that met it"


def test_a_failure_that_is_not_over_counts_as_long_as_it_lasts():
    made = network()
    for k in range(200):
        list(made.run((k + 1) * MS, links(k * MS, {1: -90.0 if k < 45 else -170.0})))
    (failed,) = made.events()
    assert failed.time == 80 * MS
    assert made.counts["beam_recovery_longest_ms"] == 200 - 80 and "beam_recoveries" not in made.counts


def test_without_a_candidate_a_failed_beam_waits_for_a_sweep_that_finds_one():
    made = network()
    for k in range(300):
        level = -90.0 if k < 45 else -170.0
        list(made.run((k + 1) * MS, links(k * MS, {1: level} if k < 205 else {6: -90.0})))
    failed, recovered = made.events()
    assert failed.time == 80 * MS
    found = 221 * MS  # the end of the sweep at 200 and 220 ms
    assert recovered.time == pytest.approx(230 * MS + 5 * SLOT + N1, abs=2), "the next PRACH occasion"
    assert recovered.time > found


def test_ideal_beams_follow_at_every_trace_and_without_arrays_there_are_none():
    for settings in ({"beams": "ideal"}, {"control": "ideal"}):
        made = network(**settings)
        turned, events = fly(made, {1: -90.0}, {6: -90.0}, change=45, steps=60)
        assert [beam for _, beam in turned] == [6] and turned[0][0] <= 45 * MS + MS // 14
        assert events == []
    assert network(columns=1).bands[0].beams is None


def story(step: int, lookahead: int) -> tuple[list, list]:
    """Return the fates of telemetry each 5 ms through a lost beam, and what happened to beams."""
    made, sent = network(lookahead=lookahead, beam_failure_count=2), []
    for k in range(30):  # traces each 10 ms
        state = links(10 * k * MS, {1: -110.0} if k < 5 or k > 20 else {6: -116.0})
        for n in range(2):
            created = (10 * k + 5 * n) * MS + 1000
            sent.append(Packet(0, 2, "telemetry", 2 * k + n, 200, created, created, None))
        made.send(sent[-2:])
        for time in range(step, 10 * MS + 1, step):
            list(made.run(10 * k * MS + time, state))
    assert len(made.settled()) + len(made.queued()) == len(sent)
    return [(packet.fate, packet.arrived) for packet in sent], made.events()


def test_steps_and_running_ahead_change_nothing_of_beams():
    """The carrier stops where a beam goes on, whoever asks for it in which steps; every packet is somewhere."""
    fates, events = story(10 * MS, 0)
    assert [event.kind for event in events] == ["beam failure", "beam recovery"] * 2
    for step, lookahead in ((10 * MS, 700_000), (1 * MS, 0), (2 * MS, 700_000)):
        assert story(step, lookahead) == (fates, events)
