"""A device that is not here is refused before anything starts; on one that is here every plugin runs, and agrees."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

SUITE = Path(__file__).parents[2] / "suites" / "devices.toml"
ACCELERATOR = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
CLOSED_FORM = ("polarization", "lie_loss", "truth", "none")


@pytest.mark.parametrize("device", ["cuda:99", "gpu7"])
def test_a_device_that_is_not_here_is_refused(bench, device):
    result = bench("run", "-m", "noop", "-m", "nop", "-d", "plane", "--device", device, code=2)
    assert f"'{device}' cannot be used: " in result.err
    assert "'nop'" in result.err
    assert not bench.records()


def test_a_record_says_where_it_was_computed(bench):
    bench("run", "-m", "noop", "-d", "plane", code=0)
    (record,) = bench.records()
    assert record["provenance"]["device"] is None


@pytest.mark.skipif(ACCELERATOR is None, reason="no accelerator here")
def test_all_runs_on_an_accelerator(new_bench):
    found = {}
    for device in ("cpu", ACCELERATOR.type):
        bench = new_bench(datasets=False)
        bench("run", "--suite", SUITE, "--device", device, code=0)
        found[device] = bench.by("dataset", "action", "method", "model")
    assert all(record["provenance"]["device"] for record in found[ACCELERATOR.type].values())
    for key, here in found["cpu"].items():
        there = found[ACCELERATOR.type][key]
        if key[2] in CLOSED_FORM and not key[3]:
            similar = [record["scores"].get("generator_similarity") for record in (here, there)]
            assert similar[0] == pytest.approx(similar[1], abs=0.01), key
