"""The normalised autoencoder: chains sample what they should, images know no frame, and it finds what is unlike."""

import math
from dataclasses import replace

import pytest
import torch
from bench.models.normalized_autoencoder import Chains, JetAutoencoder, NormalizedAutoencoder, jet_image, langevin
from torch import Tensor

from bench.contracts import FourVector, Problem, Task, Unsuitable

from .tasks import learning_task

SMALL = NormalizedAutoencoder(side=8, width=16, latent=3, steps=40, batch=32)
ACTION = FourVector((10, 4))


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def jets(count: int, width: float, seed: int = 0, turn: float = 0.0, moved: tuple[float, float] = (0.0, 0.0)) -> Tensor:
    """Massless constituents of random pT, normal about the jet's axis; turned about it, or moved as a whole."""
    pt = 50 * torch.rand(count, 10, generator=draw(seed), dtype=torch.float64) + 1
    place = width * torch.randn(count, 10, 2, generator=draw(seed + 1), dtype=torch.float64)
    y = math.cos(turn) * place[..., 0] - math.sin(turn) * place[..., 1] + moved[0]
    phi = math.sin(turn) * place[..., 0] + math.cos(turn) * place[..., 1] + moved[1]
    return torch.stack([pt * y.cosh(), pt * phi.cos(), pt * phi.sin(), pt * y.sinh()], -1)


def task(seed: int = 0, width: float = 0.1) -> Task:
    return learning_task(jets(260, width), torch.zeros(260).long(), ACTION, 200, seed, anomaly=True)


def test_langevin_samples_a_gaussian() -> None:
    """E = |x - m|^2 / (2 s^2): a chain of step h has mean m and variance T s^2 / (1 - h / (2 s^2))."""
    m, s, h, T = torch.tensor([1.0, -2.0]), torch.tensor([0.5, 1.0]), 0.05, 0.7
    x = langevin(lambda x: (((x - m) / s).square() / 2).sum(1), torch.zeros(20_000, 2), 150, h, T, draw())
    assert torch.allclose(x.mean(0), m, atol=0.03)
    assert torch.allclose(x.var(0), T * s**2 / (1 - h / (2 * s**2)), rtol=0.04)


def test_without_heat_a_chain_descends() -> None:
    x = langevin(lambda x: x.square().sum(1) / 2, torch.ones(3, 2), 10, 0.1, 0.0, draw())
    assert torch.allclose(x, torch.full((3, 2), 0.9**10))


def test_chains_stay_where_images_are_and_go_on() -> None:
    network = JetAutoencoder(8, 0.5, 16, 3)
    chains = Chains(network, 3, 50, draw())
    before = chains.kept.clone()
    images = chains()
    assert images.shape == (50, 64)
    assert ((images >= 0) & (images <= 1)).all()
    assert not images.requires_grad
    assert 40 <= (chains.kept != before).any(1).sum() <= 50
    assert torch.allclose(chains.kept.norm(dim=1), torch.ones(len(before)))


def test_an_image_knows_neither_the_frame_nor_the_order() -> None:
    image = jet_image(jets(30, 0.2), 12, 0.5)
    for other in (jets(30, 0.2, turn=1.0), jets(30, 0.2, turn=4.0), jets(30, 0.2, moved=(0.7, 2.0))):
        assert torch.allclose(jet_image(other, 12, 0.5), image, atol=1e-6)
    assert torch.allclose(jet_image(jets(30, 0.2).flip(1), 12, 0.5), image)
    assert torch.allclose(image.amax(1), torch.ones(30).double(), atol=1e-5)


def test_padding_leaves_no_trace() -> None:
    x = jets(30, 0.2)
    padded = torch.cat([x, torch.zeros(30, 4, 4).double()], 1)
    assert torch.allclose(jet_image(padded, 12, 0.5), jet_image(x, 12, 0.5))


@pytest.mark.parametrize("normalise", [True, False])
def test_jets_unlike_those_of_training_score_higher(normalise: bool) -> None:
    network = replace(SMALL, normalise=normalise, steps=60, rate=0.02).fit(task(), None)
    with torch.no_grad():
        like, unlike = network(jets(200, 0.1, seed=5)), network(jets(200, 0.35, seed=5))
    assert like.shape == (200,)
    assert (unlike[:, None] > like).double().mean() > 0.95


def test_the_state_rebuilds_it_and_a_seed_gives_the_same() -> None:
    given, x = task(), jets(20, 0.2, seed=5)
    assert given.problem is not None
    one, two = (SMALL.fit(given, None) for _ in range(2))
    again = SMALL.build(given.problem, None)
    again.load_state_dict(two.state_dict(), assign=True)
    assert torch.equal(again(x), one(x))
    assert not torch.equal(SMALL.fit(task(seed=1), None)(x), one(x))


def test_it_tells_the_steps_of_both_phases() -> None:
    told: list[int] = []
    SMALL.fit(replace(task(), progress=lambda step, steps, loss: told.append(step)), None)
    assert told == list(range(1, SMALL.steps + 1))


def test_the_predictor_has_exact_derivatives() -> None:
    network, x = SMALL.fit(task(), None).double(), jets(20, 0.2, seed=5)
    v = x @ torch.randn(4, 4, generator=draw(), dtype=torch.float64)
    rate = torch.func.jvp(network, (x,), (v,))[1]
    assert torch.allclose(rate, (network(x + 1e-6 * v) - network(x - 1e-6 * v)) / 2e-6, rtol=1e-4, atol=1e-4)


def test_images_are_refused() -> None:
    with pytest.raises(Unsuitable, match=r"of jets \(constituents, 4\)"):
        SMALL.build(Problem("anomaly", (1, 28, 28), (), ACTION), None)
