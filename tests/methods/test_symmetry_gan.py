"""SymmetryGAN on samples whose linear symmetries are known."""

from __future__ import annotations

import pytest
import torch
from bench.methods._adversarial import Features
from bench.methods._search_space import search_space
from bench.methods.symmetry_gan import Maps, SymmetryGAN
from torch import Tensor

from bench.contracts import BenchError, Linear, MatrixSymmetry, Samples, Task

SMALL = {"width": 32, "steps": 300, "batch": 128}


def lopsided(count: int, seed: int) -> Tensor:
    """Points in the plane whose law is kept by x2 -> -x2 and by no other linear map but the identity."""
    z = torch.randn(count, 2, generator=torch.Generator().manual_seed(seed))
    return torch.stack([(0.5 * z[:, 0]).exp(), z[:, 1] * (1 + 0.3 * z[:, 0])], 1)


def task(sample=lopsided) -> Task:
    return Task(Samples(sample(4000, 0)), Samples(sample(2000, 1)), Linear((2,)), seed=0)


def test_finds_the_reflection_and_not_the_identity() -> None:
    found = SymmetryGAN(**SMALL | {"steps": 600}).discover(task())  # type: ignore[arg-type]
    assert isinstance(found, MatrixSymmetry)
    assert (found.K, found.M) == (0, 1)
    torch.testing.assert_close(found.elements[0], torch.diag(torch.tensor([1.0, -1.0])), atol=0.08, rtol=0)


def test_of_normal_points_different_isometries_are_found() -> None:
    def normal(count: int, seed: int) -> Tensor:
        return torch.randn(count, 2, generator=torch.Generator().manual_seed(seed))

    found = SymmetryGAN(restarts=5, **SMALL).discover(task(normal))  # type: ignore[arg-type]
    assert isinstance(found, MatrixSymmetry)
    assert found.M >= 2
    g = found.elements
    off = (g @ g.mT - torch.eye(2)).abs().mean()
    assert off < 0.1, off
    assert torch.pdist(g.flatten(1)).min() > 0.1


def test_the_order_of_an_element_is_asked_for() -> None:
    x = torch.randn(100, 2, generator=torch.Generator().manual_seed(0))
    draw = torch.Generator().manual_seed(0)
    space = search_space(Linear((2,)), x)
    maps = Maps(Linear((2,)), space, 2, Features(Samples(x)), order=2, cyclic=3.0, away=0.0, draw=draw)
    wanted = torch.stack([torch.diag(torch.tensor([1.0, -1.0])), torch.diag(torch.tensor([2.0, 1.0]))])
    maps.raw.data = torch.linalg.lstsq(space.flatten(1).T, (wanted - torch.eye(2)).flatten(1).T).solution.T
    torch.testing.assert_close(maps.elements(), wanted)
    assert maps.penalty(Samples(x), x).item() == pytest.approx(3 * 3**2, rel=1e-4)


def test_the_identity_pushes_maps_away() -> None:
    """Where no map but the identity passes, none is left near it, and none is claimed."""

    def uneven(count: int, seed: int) -> Tensor:
        return lopsided(count, seed).clamp(min=-1) + torch.tensor([0.0, 3.0])

    x = Samples(uneven(500, 0))
    draw = torch.Generator().manual_seed(0)
    space = search_space(Linear((2,)), x.x)
    maps = Maps(Linear((2,)), space, 3, Features(x), order=0, cyclic=0.0, away=0.6, draw=draw)
    maps.raw.data *= torch.tensor([0.01, 0.1, 1])[:, None]
    pushes = []
    for r in range(3):
        maps.zero_grad()
        maps.penalty(x, maps.moved(x)).backward()
        assert maps.raw.grad is not None
        pushes.append((maps.raw.grad[r] * maps.raw[r]).sum().item())
    assert max(pushes[:2]) < 0
    assert pushes[2] == 0
    assert SymmetryGAN(**SMALL).discover(task(uneven)).M == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(("wrong", "told"), [({"order": -1}, "order = -1"), ({"detail": 1.0}, "detail = 1.0")])
def test_wrong_parameters_are_told(wrong: dict[str, float], told: str) -> None:
    with pytest.raises(BenchError, match=told):
        SymmetryGAN(**wrong)  # type: ignore[arg-type]
