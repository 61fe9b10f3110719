"""Views: scores compare in data space, whatever the coordinates of the view."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from bench.contracts import Field, HeldOut, Induced, InView, Linear, Samples, View
from bench.metrics._space import Tangent, space_of
from bench.metrics.orbit_similarity import OrbitSimilarity


class LinearView(View):
    """x^ = W z with W (D, d), z = W^+ x."""

    def __init__(self, W: Tensor) -> None:
        super().__init__()
        self.W, self.inverse, self.shape = W, torch.linalg.pinv(W), (W.shape[1],)

    def encode(self, x: Tensor) -> Tensor:
        return x @ self.inverse.T

    def decode(self, z: Tensor) -> Tensor:
        return z @ self.W.T


def track(case: SimpleNamespace, W: Tensor, plane: tuple[int, int] = (0, 1)) -> SimpleNamespace:
    view, action = LinearView(W), Field((W.shape[1],))
    z = case.gaussian(3000, W.shape[1], 0)
    test = HeldOut(Samples(z[:2000]), Samples(z[2000:]), action, view, 0)
    truth = Induced(action, view, case.Rotation(Linear((len(W),)), case.rotations(len(W), plane)))
    return SimpleNamespace(view=view, action=action, test=test, truth=truth)


def stretched() -> Tensor:
    W = torch.zeros(6, 3)
    W[:3, :3] = torch.diag(torch.tensor([1.0, 5.0, 0.2]))
    return W


def test_the_truth_of_a_view_scores_as_in_the_data(case: SimpleNamespace) -> None:
    """W stretches z; S^-1 takes the stretch out again, so the rotation of the view is the truth of both."""
    it = track(case, stretched())
    oracle = InView(case.Formula(lambda x: x[:, :2].square().sum(1, keepdim=True)), it.view)
    s = case.scores(it.truth, it.truth, oracle, it.test)
    assert s["oracle_preservation"] > 0.999
    assert s["orbit_similarity"] > 0.93
    assert s["orbit_similarity.tangent_fraction"] == pytest.approx(1, abs=1e-3)
    assert s["generator_similarity"] is None


def test_coordinates_of_a_pushed_field_have_its_products(case: SimpleNamespace) -> None:
    it = track(case, torch.randn(6, 3, generator=torch.Generator().manual_seed(1)))
    space = space_of(it.test)
    tangent = Tangent(space, 10)
    random = it.action.random(4, it.test.reference.x, 0)
    pushed = torch.stack([space.push(tangent.z, v) for v in random.velocity(tangent.z)]).double()
    found = tangent.of(random)
    assert torch.allclose(
        torch.einsum("knd,jnd->kjn", found, found), torch.einsum("knd,jnd->kjn", pushed, pushed), atol=1e-4
    )


def test_a_truth_outside_of_the_view_has_no_similarity(case: SimpleNamespace) -> None:
    it = track(case, stretched(), plane=(0, 5))
    s = OrbitSimilarity().score(symmetry=it.truth, truth=it.truth, test=it.test)
    assert s["orbit_similarity"] is None
    assert s["orbit_similarity.tangent_fraction"] < 0.8
