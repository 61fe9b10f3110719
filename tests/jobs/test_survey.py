"""What `bench data describe` finds in samples that are known."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from bench.contracts import Dataset, Samples
from bench.jobs.work.survey import figures, some, symmetries


def test_figures_count_what_is_there():
    x = torch.zeros(4, 2, 3, 3)
    x[:, 0, 0, 0] = torch.tensor([1.0, -1.0, 2.0, 0.0])
    found = figures(Samples(x, torch.tensor([1, 0, 1, 1])))
    assert found["number"] == 4
    assert found["labels"] == {"0": 1, "1": 3}
    first, second = found["channels"]
    assert first == {"nonzero": 3 / 36, "negative": 1 / 36, "least": -1.0, "mean": 2 / 36, "largest": 2.0}
    assert second["nonzero"] == 0


def test_images_that_lean_to_one_side_are_told_from_their_reflection_there_alone(monkeypatch):
    monkeypatch.setattr("bench.data.symmetry_check.STEPS", 40)
    draw = torch.Generator().manual_seed(0)
    x = torch.rand(100, 1, 8, 8, generator=draw)
    x[:, :, :4] *= 2
    found = symmetries(x)
    assert found["reflection of the rows"][0] > 0.95
    auc, chance, error = found["reflection of the columns"]
    assert chance == 0.5
    assert abs(auc - chance) < 4 * error


def test_momenta_about_the_beam_are_told_from_those_about_another_axis():
    draw = torch.Generator().manual_seed(0)
    momenta = torch.randn(400, 5, 3, generator=draw) * torch.tensor([1.0, 1.0, 8.0])
    found = symmetries(torch.cat([momenta.norm(dim=-1, keepdim=True), momenta], -1))
    assert found["quarter turn of the beam"][0] > 0.95
    for name in ("reflection of the beam", "reflection of py", "quarter turn about the beam"):
        auc, mean, spread = found[name]
        assert abs(auc - mean) < 4 * spread


def test_of_points_and_of_a_handful_of_images_nothing_is_asked():
    assert symmetries(torch.zeros(100, 2)) == {}
    assert symmetries(torch.zeros(49, 1, 8, 8)) == {}


@dataclass(frozen=True)
class Doubled(Dataset):
    """Training samples come twice unless plain."""

    copies: int = 2

    def load(self, split, seed):
        x = torch.arange({"train": 2000, "valid": 30, "test": 60}[split]).float()[:, None]
        return Samples(x.repeat(self.copies, 1) if split == "train" else x)

    def actions(self):
        return {}

    def oracles(self):
        return {}

    def plain(self):
        return replace(self, copies=1)


def test_samples_are_looked_at_once_the_test_split_first():
    x = some(Doubled().plain())
    assert x.shape == (1500, 1)
    assert x[:60, 0].tolist() == list(range(60))
    assert x[60:90, 0].tolist() == list(range(30))
    assert x[90:, 0].tolist() == list(range(1410))
