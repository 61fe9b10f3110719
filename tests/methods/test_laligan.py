"""LaLiGAN: its coordinates and fields by laws, and a game in bent coordinates."""

from __future__ import annotations

import pytest
import torch
from bench.methods.liegan import LaLiGAN, LatentGenerators
from torch import Tensor

from bench.contracts import BenchError, Field, Linear, Samples, Task

SMALL = {"restarts": 1, "width": 32, "steps": 700, "batch": 128}


def bent(count: int, seed: int) -> Samples:
    """x = (u1, u2 + u1^2 / 2) for normal u, labelled by |u|^2."""
    u = torch.randn(count, 2, generator=torch.Generator().manual_seed(seed))
    return Samples(torch.stack([u[:, 0], u[:, 1] + u[:, 0].square() / 2], 1), u.square().sum(1, keepdim=True))


def random_fields(K: int = 2) -> LatentGenerators:
    torch.manual_seed(0)
    symmetry = LatentGenerators(Field((3,)), K, latent=4, width=16, layers=2).double().requires_grad_(False)
    symmetry.coordinates.standardise(2 + 3 * torch.randn(100, 3).double())
    symmetry.generators = torch.randn(K, 4, 4).double()
    return symmetry


def test_velocity_is_the_derivative_of_the_flow() -> None:
    symmetry, x = random_fields(), torch.randn(20, 3).double()
    for k in range(2):
        t = torch.zeros(20, 2).double()
        t[:, k] = 1e-5
        slope = (symmetry.transform(x, t) - symmetry.transform(x, -t)) / 2e-5
        torch.testing.assert_close(slope, symmetry.velocity(x)[k], rtol=1e-4, atol=1e-5)


def test_nothing_moves_at_time_zero() -> None:
    x = torch.randn(20, 3).double()
    torch.testing.assert_close(random_fields().transform(x, torch.zeros(20, 2).double()), x)


def test_follows_the_law_in_bent_coordinates_and_is_rebuilt() -> None:
    task = Task(bent(4000, 0), bent(2000, 1), Field((2,)), seed=0)
    found = LaLiGAN(**SMALL).discover(task)  # type: ignore[arg-type]
    x = task.valid.x[:500]
    share = change_of_the_law(found.velocity(x)[0], x)
    assert share < 0.1
    again = LatentGenerators(found.action, **found.config())
    again.load_state_dict(found.state_dict())
    torch.testing.assert_close(again.velocity(x), found.velocity(x))


def change_of_the_law(v: Tensor, x: Tensor) -> float:
    """E (v . grad |u|^2)^2 / E |v|^2 |grad |u|^2|^2: 1/2 for a random field."""
    u2 = x[:, 1] - x[:, 0].square() / 2
    gradient = torch.stack([2 * x[:, 0] - 2 * u2 * x[:, 0], 2 * u2], 1)
    whole = v.square().sum(1) * gradient.square().sum(1)
    return ((v * gradient).sum(1).square().mean() / whole.mean()).item()


def test_labels_that_the_action_moves_are_left_out() -> None:
    samples = bent(300, 0)
    wild = Samples(samples.x, torch.full((300, 2), torch.nan))
    found = LaLiGAN(restarts=1, width=8, steps=3).discover(Task(wild, wild, Field((2,), Linear((2,))), seed=0))
    assert found.velocity(samples.x).isfinite().all()


def test_wrong_parameters_are_told() -> None:
    with pytest.raises(BenchError, match="K = 0"):
        LaLiGAN(K=0)
