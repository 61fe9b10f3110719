"""The model: what it learns from a symmetry, and what it refuses."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from bench.models.emlp import EMLP
from torch import Tensor

from bench.contracts import Action, Field, ImageAffine, Linear, MatrixSymmetry, NoSymmetry, Task, Unsuitable
from bench.learning import problem_of

from .groups import element, orthogonal
from .tasks import learning_task

SMALL = EMLP(width=32, depth=1, rank=2, steps=160, batch=64, rate=0.02)


def spring(x: Tensor) -> Tensor:
    """A vector that turns with two vectors."""
    first, second = x[:, :3], x[:, 3:]
    return torch.linalg.cross(first, second) + first


def task(action: Action, law: Callable[[Tensor], Tensor] = spring, count: int = 40) -> Task:
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(2 * count, 6, generator=draw)
    return learning_task(x, law(x), action, count)


def vectors(target: bool = True) -> Linear:
    return Linear((6,), 3, Linear((3,), 3) if target else None)


def rotations(action: Action) -> MatrixSymmetry:
    return MatrixSymmetry.of(action, orthogonal(3).float())


def test_a_right_symmetry_beats_none_on_few_samples() -> None:
    moving = task(vectors())
    fresh = torch.randn(1000, 6, generator=torch.Generator().manual_seed(1))
    losses = []
    for symmetry in (rotations(vectors()), None):
        network = SMALL.fit(moving, symmetry)
        with torch.no_grad():
            losses.append((network(fresh) - spring(fresh)).square().mean().item())
    assert losses[0] < 0.1 * losses[1]


def test_the_fitted_predictor_is_equivariant() -> None:
    network, g = replace(SMALL, steps=20).fit(task(vectors()), rotations(vectors())), element(orthogonal(3)).float()
    x = torch.randn(50, 6, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        moved = network(torch.einsum("ij,bvj->bvi", g, x.reshape(-1, 2, 3)).reshape(-1, 6))
        assert torch.allclose(moved, network(x) @ g.T, atol=1e-4)


def test_targets_that_stay_are_invariant_classes_or_numbers() -> None:
    g = element(orthogonal(3)).float()
    x = torch.randn(50, 6, generator=torch.Generator().manual_seed(2))
    turned = torch.einsum("ij,bvj->bvi", g, x.reshape(-1, 2, 3)).reshape(-1, 6)
    for law, shape in (
        (lambda x: (x.square().sum(1) > 6).long(), (50, 2)),
        (lambda x: x.square().sum(1), (50,)),
        (lambda x: x.square()[:, :2] + 5, (50, 2)),
    ):
        network = replace(SMALL, steps=10).fit(task(vectors(False), law), rotations(vectors(False)))
        with torch.no_grad():
            assert network(x).shape == shape
            assert torch.allclose(network(x), network(turned), atol=1e-4)


def test_the_symmetry_tells_how_exact_its_generators_are() -> None:
    noise = torch.randn(1, 3, 3, generator=torch.Generator().manual_seed(0))
    turn = orthogonal(3)[:1].float()
    off = turn + 0.1 * turn.norm() * noise / noise.norm()
    right = basis_elements(turn)
    assert basis_elements(off, 0.1) == right
    assert basis_elements(off, 1e-4) != right  # too sure of itself
    assert basis_elements(off) == basis_elements(off, EMLP.spread) != right  # what does not tell counts as 1 % off


def basis_elements(generator: Tensor, spread: float = 0.0) -> int:
    """How many equivariant maps all layers are made of, by a symmetry that tells its spread; 0: it does not."""
    symmetry = MatrixSymmetry.of(vectors(), generator, spread=spread)
    network = replace(SMALL, rank=1).build(problem_of(task(vectors())), symmetry)
    return sum(len(basis) for name, basis in network.named_buffers() if name.endswith("basis"))


def test_finding_nothing_is_having_nothing() -> None:
    x = torch.randn(5, 6)
    networks = [replace(SMALL, steps=5).fit(task(vectors()), s) for s in (None, NoSymmetry(vectors()))]
    assert torch.equal(networks[0](x), networks[1](x))


def test_a_seed_gives_the_same_predictor() -> None:
    x = torch.randn(5, 6)
    one, two = (replace(SMALL, steps=5).fit(task(vectors()), rotations(vectors()))(x) for _ in range(2))
    assert torch.equal(one, two)


def test_a_symmetry_without_matrices_is_refused() -> None:
    field, image = Field((6,)), ImageAffine((1, 4, 4))
    for symmetry in (field.random(1, torch.randn(20, 6), 0), MatrixSymmetry.of(image, torch.zeros(1, 3, 3))):
        with pytest.raises(Unsuitable, match="matrices on vectors"):
            SMALL.fit(task(vectors()), symmetry)


def test_targets_that_move_in_another_way_are_refused() -> None:
    moving = Linear((6,), 3, Linear((3,), 1))
    with pytest.raises(Unsuitable, match="targets move by"):
        SMALL.fit(task(moving), rotations(moving))
