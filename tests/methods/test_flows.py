"""The flow of a field of images: what finite moves tell of the field that an oracle keeps."""

from __future__ import annotations

import pytest
import torch
from bench.methods import _flows
from bench.methods._flows import _apart, _Flow
from bench.methods._rates import Law, law_of
from torch import Tensor

from bench.contracts import ImageAffine, Oracle, Samples, Task

from .test_spectral import Waves, blobs

SIDE = 20
ACTION = ImageAffine((1, SIDE, SIDE))
ROTATION = torch.tensor([0.0, -1, 0, 1, 0, 0], dtype=torch.float64)
SHEAR = torch.tensor([1.0, 0, 0, 0, -1, 0], dtype=torch.float64)
SHIFT = torch.tensor([0.0, 0, 1, 0, 0, 0], dtype=torch.float64)


def law(oracle: Oracle, x: Tensor) -> Law:
    return law_of(Task(Samples(x), Samples(x[:50]), ACTION, 0, oracle=oracle), len(x))


def flow(law: Law, c: Tensor) -> _Flow:
    return _Flow(law, ACTION.candidates(law.train), c, law.train, 4.0)


def per_rotation(c: Tensor) -> Tensor:
    return 2 * c / (c @ ROTATION)


@pytest.mark.parametrize("wrong", [0.1 * SHEAR, 0.1 * SHIFT], ids=["an ellipse", "another centre"])
def test_two_steps_lead_to_the_field_that_is_kept(wrong: Tensor) -> None:
    rings = law(Waves(SIDE), blobs(100, SIDE, 0))
    found = ROTATION + wrong
    for _ in range(2):
        found = per_rotation(flow(rings, found).kept())
    assert (found - ROTATION).norm() < 0.05 * wrong.norm()


def test_paths_are_derivatives_of_the_flow() -> None:
    over = flow(law(Waves(SIDE), blobs(20, SIDE, 0)), ROTATION + 0.2 * SHEAR + 0.3 * SHIFT)
    bent = over.A + 1e-6 * over.E[0]
    for t, path in zip(over.times, over._paths(), strict=True):
        moved = (torch.linalg.matrix_exp(-t * over.A) @ torch.linalg.matrix_exp(t * bent) - torch.eye(3)) / 1e-6
        torch.testing.assert_close(moved[:2].flatten(), path[:, 0], atol=1e-5, rtol=1e-4)


def test_a_form_taken_apart_has_no_terms_between_a_field_and_the_rest() -> None:
    draw = torch.Generator().manual_seed(0)
    roots = torch.randn(2, 6, 6, generator=draw, dtype=torch.float64)
    form, norm = roots @ roots.mT
    c = torch.randn(6, generator=draw, dtype=torch.float64)
    apart = _apart(form, norm, c)
    rest = torch.linalg.svd((norm @ c)[None]).Vh[1:]
    assert (rest @ apart @ c).norm() < 1e-9 * form.norm()
    torch.testing.assert_close(c @ apart @ c, c @ form @ c)
    torch.testing.assert_close(rest @ apart @ rest.T, rest @ form @ rest.T)


class Upright(Oracle):
    """Rings; of images with mass in the centre, also a liking for mass above and below it rather than beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.rings = Waves(SIDE)
        x, y = ACTION.grid(torch.zeros(1))[..., :2].unbind(-1)
        self.liked: Tensor
        self.register_buffer("liked", (y.square() - x.square()) * torch.exp(-(x.square() + y.square()) / 0.3))

    def forward(self, x: Tensor) -> Tensor:
        centre = x[:, 0, SIDE // 2, SIDE // 2] ** 4
        return self.rings(x)[:, :1] + 0.5 * (centre * torch.einsum("bchw,hw->b", x, self.liked))[:, None]


def test_what_a_network_likes_of_its_own_counts_once_for_images_that_are_alike(monkeypatch) -> None:
    liking = law(Upright(), torch.cat([blobs(60, SIDE, 0), bars(180)]))

    def error() -> float:
        found = ROTATION
        for _ in range(2):
            found = flow(liking, found).kept()
        return (per_rotation(found) - ROTATION).norm().item()

    known = error()
    monkeypatch.setattr(_flows, "WHITE", 1e6)
    assert known < 0.7 * error()


def bars(count: int) -> Tensor:
    """The same bar through the centre, at many angles."""
    grid = ACTION.grid(torch.zeros(1))[..., :2]
    angles = torch.pi * torch.arange(count) / count
    along, across = (
        torch.einsum("hwi,bi->bhw", grid, axis)
        for axis in (torch.stack([angles.cos(), angles.sin()], 1), torch.stack([-angles.sin(), angles.cos()], 1))
    )
    return torch.exp(-along.square() / 0.2 - across.square() / 0.02)[:, None]
