"""Carriers by preset; the one of OpenAirInterface beside what was measured over it."""

import importlib.util
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from twin.specs.nr import CarrierSpec
from twin.specs.presets import PRESETS

ROOT = Path(__file__).resolve().parents[2]


def test_every_preset_has_a_source_and_settings_of_a_carrier():
    names = get_args(get_args(CarrierSpec.model_fields["preset"].annotation)[0])
    assert set(names) == set(PRESETS)
    for name, preset in PRESETS.items():
        made = CarrierSpec.model_validate({"preset": name})
        assert preset.source
        assert made.model_fields_set == {"preset", *preset.settings}


def test_what_is_stated_goes_before_the_preset():
    made = CarrierSpec.model_validate({"preset": "oai-n78", "lead": "1 ms"})
    assert (made.lead, made.sr_period) == (1_000_000, 4)


def test_parts_of_a_real_uplink_are_within_20_and_30_percent():
    path = ROOT.parent / "shared/data/network/oai_n78_uplink.csv"
    if not path.exists():
        pytest.skip(f"{path} isn't there: 1,355 measured packets")
    spec = importlib.util.spec_from_file_location("against_oai", ROOT / "benchmarks/against_oai.py")
    oai = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(oai)
    sent, real = oai.measured(path)
    there, here = oai.percentiles(real), oai.percentiles(oai.simulated(sent))
    assert np.abs(here[:, 0] / there[:, 0] - 1).max() < 0.2
    assert np.abs(here[:, 1] / there[:, 1] - 1).max() < 0.3
