"""Fields on R^4: what the truth scores, and what each attack runs into."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from bench.contracts import Field, NoSymmetry
from bench.metrics import oracle_preservation

OP, DP, ORBIT = "oracle_preservation", "distribution_preservation", "orbit_similarity"


@pytest.fixture(scope="module")
def track(case: SimpleNamespace) -> Iterator[SimpleNamespace]:
    action = Field((4,))
    test = case.held_out(action, case.gaussian(4000, 4, 1), case.gaussian(2000, 4, 2))
    truth = case.FieldOf(action, lambda x: case.turned(x)[None])
    oracle = case.Formula(case.invariants)

    def scores(symmetry: Any, phi: Any = oracle, distribution: bool = True) -> dict[str, float | None]:
        return case.scores(symmetry, truth, phi, test, distribution)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(oracle_preservation, "ROWS", 384)
        yield SimpleNamespace(action=action, test=test, truth=truth, oracle=oracle, scores=scores)


def test_the_truth_wins_everywhere(track: SimpleNamespace) -> None:
    s = track.scores(track.truth)
    assert s[OP] > 0.999
    assert s[DP] > 0.9
    assert s["joint"] > 0.9
    assert s[ORBIT] > 0.97
    assert s[f"{OP}.truth"] > 0.999
    assert s[f"{OP}.local"] == 0
    assert s["generator_similarity"] is None
    assert all(abs(s[f"{OP}.reached.{delta}"] - delta) < 0.02 * delta for delta in (0.1, 0.3, 1.0))


def test_random_fields_are_at_chance(track: SimpleNamespace) -> None:
    found = [track.scores(track.action.random(K, track.test.reference.x, seed)) for K, seed in ((1, 5), (3, 7))]
    assert all(abs(s[OP]) < 0.25 for s in found)
    assert abs(sum(s[OP] for s in found)) / 2 < 0.15
    assert all(s["joint"] < 0.2 for s in found)
    assert all(s[ORBIT] < 0.2 for s in found)


def test_finding_nothing_is_no_better_than_chance(track: SimpleNamespace) -> None:
    s = track.scores(NoSymmetry(track.action))
    assert (s[OP], s[DP], s["joint"], s[ORBIT]) == (0, None, 0, 0)


def test_a_field_of_other_speed_has_the_same_orbits(case: SimpleNamespace, track: SimpleNamespace) -> None:
    bent = case.FieldOf(track.action, lambda x: ((0.2 + x[:, 2:3].square()) * case.turned(x))[None])
    s = track.scores(bent, distribution=False)
    assert s[ORBIT] > 0.9
    assert s[OP] > 0.9


def test_a_field_in_the_kernel_of_the_oracle_keeps_the_oracle_and_not_the_distribution(
    case: SimpleNamespace, track: SimpleNamespace
) -> None:
    random = track.action.random(1, track.test.reference.x, 3)
    phi = case.Formula(lambda x: x[:, :2].square().sum(1, keepdim=True))

    def kernel(x: Tensor) -> Tensor:
        v, gradient = random.velocity(x)[0], torch.cat([x[:, :2], 0 * x[:, 2:]], 1)
        share = (v * gradient).sum(1, keepdim=True) / gradient.square().sum(1, keepdim=True).clamp(min=1e-9)
        return (v - share * gradient)[None]

    s = track.scores(case.FieldOf(track.action, kernel), phi)
    assert s[OP] > 0.99
    assert s[DP] < 0.4
    assert s["joint"] < 0.4


def test_moving_two_percent_of_the_samples_is_seen(case: SimpleNamespace, track: SimpleNamespace) -> None:
    def bump(x: Tensor) -> Tensor:
        v = torch.sigmoid(20 * (x[:, 3:] - 2.05)) * torch.tensor([[1.0, 0, 0, 0]])
        return v[None]

    s = track.scores(case.FieldOf(track.action, bump))
    assert s[OP] < 0.2
    assert s[f"{OP}.participation"] < 0.05
    assert s[f"{OP}.local"] == 1
    assert s[ORBIT] < 0.1
    assert s["joint"] is None or s["joint"] < 0.2


def test_a_symmetry_of_the_tail_alone_is_flagged_and_has_not_the_orbits(
    case: SimpleNamespace, track: SimpleNamespace
) -> None:
    s = track.scores(case.FieldOf(track.action, lambda x: ((x[:, 3:] > 2.3) * case.turned(x))[None]))
    assert s[f"{OP}.local"] == 1
    assert s[ORBIT] < 0.1
    assert s["joint"] is None or s["joint"] < 0.4


@pytest.mark.parametrize(("size", "least"), [(0.05, 0.2), (1e-4, 1e-3)])
def test_a_map_that_saturates_loses_what_it_falls_short(
    case: SimpleNamespace, track: SimpleNamespace, size: float, least: float
) -> None:
    def flow(x: Tensor, t: Tensor) -> Tensor:
        angle = size * torch.tanh(t)
        turned = torch.cat([-x[:, 1:2], x[:, :1]], 1)
        return torch.cat([x[:, :2] * angle.cos() + turned * angle.sin(), x[:, 2:]], 1)

    s = track.scores(case.FlowOf(track.action, lambda x: size * case.turned(x)[None], flow), distribution=False)
    assert s[OP] < least
    assert s["joint"] is None or s["joint"] < least


def test_a_spurious_field_is_seen_at_any_scale(case: SimpleNamespace, track: SimpleNamespace) -> None:
    def pair(scale: float) -> Any:
        away = torch.tensor([0.0, 0, 0, scale])
        return case.FieldOf(track.action, lambda x: torch.stack([case.turned(x), away.expand_as(x)]), 2)

    small, large = (track.scores(pair(scale), distribution=False) for scale in (1e-3, 1.0))
    assert small[f"{OP}.worst_direction"] < 0.1
    assert small[OP] == pytest.approx(large[OP], abs=1e-3)
    assert small[OP] < 0.9
    assert large[ORBIT] < 0.8


def test_a_field_that_explodes_gives_numbers(case: SimpleNamespace, track: SimpleNamespace) -> None:
    s = track.scores(case.FieldOf(track.action, lambda x: (x**5)[None]), distribution=False)
    assert all(value is None or abs(value) < float("inf") for value in s.values())
    assert s["joint"] is None or s["joint"] < 0.2
