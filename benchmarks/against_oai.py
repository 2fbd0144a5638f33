"""The preset `oai-n78` beside 1,355 packets measured over a real OpenAirInterface uplink.

Usage: python benchmarks/against_oai.py [--data ../shared/data/network/oai_n78_uplink.csv]

Sends packets at the measured times through one carrier and prints, measured and simulated, how long they took from end
to end and in which part: to the first grant, from the first to the last segment, and from there to the receiver.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from twin.network.nr import carrier_state as cs
from twin.network.nr.carrier import Carrier
from twin.specs.nr import CarrierSpec, NrSpec, QosSpec
from twin.state import F64, I64

DATA = Path(__file__).resolve().parents[2] / "shared/data/network/oai_n78_uplink.csv"
PARTS = ("end to end", "to the first grant", "first to last segment", "last segment to the end")
PERCENTS = (50.0, 90.0, 99.0)
HEADERS = 12
"""Bytes of SDAP and PDCP and of what the tunnel adds to the 128 bytes of each packet."""
SNR_DB = 12.5
"""In one resource block at full power; decides what a grant of 40 bytes comes to in whole blocks."""
ERRORS = 0.08
"""Of first transmissions: one packet in 14 waited for its last segment to be sent again."""
CORE_MS = 0.5
"""From the base station to the receiver: the default of `backhaul`."""


def measured(path: Path) -> tuple[F64, F64]:
    """Return the times of sending [s], (n,), and the durations of `PARTS` [ms], (4, n)."""
    sent, whole, _, first, last = np.loadtxt(path, delimiter=",", skiprows=1, usecols=range(5)).T
    return sent, np.stack([whole, first, last - first, whole - last])


def simulated(sent: F64) -> F64:
    """Return the durations of `PARTS` [ms], (4, n)."""
    spec = CarrierSpec.model_validate({"preset": "oai-n78"})
    header = NrSpec(kind="nr").segment_header
    carrier = Carrier(spec, [QosSpec(error_target=ERRORS)], ["terminal"], 1, seed=1, segment_header=header, ahead=0)
    carrier.state.ratio[:] = 10 ** (SNR_DB / 10)
    carrier.report(np.array([SNR_DB]), np.array([30.0]))
    carrier.attach(0, 0, 0)
    created: I64 = np.rint(sent * 1e9).astype(np.int64) + 100_000_000
    count = len(created)
    columns = np.full(count, cs.UP), np.full(count, 128 + HEADERS), created, created, np.arange(count)
    rows = carrier.enter(np.stack(columns, axis=1), processed=False)
    carrier.advance(int(created[-1]) + 2_000_000_000, False)
    fates = carrier.state.fates[: carrier.state.counts[cs.DECIDED]]
    decoded = np.zeros(len(carrier.state.packets), dtype=np.int64)
    decoded[fates["packet"]] = fates["time"]
    packets, end = carrier.state.packets[rows], decoded[rows] + CORE_MS * 1e6
    first, last = packets["first"], packets["last"]
    return np.stack([end - created, first - created, last - first, end - last]) / 1e6


def percentiles(parts: F64) -> F64:
    """Return `PERCENTS` of each part, (4, 3)."""
    return np.percentile(parts, PERCENTS, axis=1).T


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=DATA)
    sent, real = measured(parser.parse_args().data)
    print("| time [ms] | measured p50 | p90 | p99 | simulated p50 | p90 | p99 |\n|---|---|---|---|---|---|---|")
    for name, there, here in zip(PARTS, percentiles(real), percentiles(simulated(sent)), strict=True):
        print(f"| {name} | " + " | ".join(f"{value:.1f}" for value in (*there, *here)) + " |")


if __name__ == "__main__":
    main()
