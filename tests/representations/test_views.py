"""Laws of the views."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA as Reference

from bench.contracts import BenchError, Representation, Samples
from bench.representations.identity import Identity
from bench.representations.pca import PCA
from bench.representations.vae import VAE

SHAPES = [(1, 8, 8), (1, 16, 16), (1, 28, 28), (3, 20, 31), (1, 125, 125)]
RECIPES = [
    pytest.param(Identity(), id="identity"),
    pytest.param(PCA(5), id="pca"),
    pytest.param(VAE(latents=5), id="vae"),
    pytest.param(VAE(latents=5, likelihood="bernoulli"), id="bernoulli"),
]


def stripes(count: int, shape: tuple[int, ...] = (1, 12, 12), seed: int = 0) -> Samples:
    """Smooth stripes of any direction and phase, three numbers each, in [0, 1]."""
    draw = torch.Generator().manual_seed(seed)
    u, v, phase = 4 * torch.rand(3, count, 1, 1, 1, generator=draw) - 2
    row = torch.linspace(-1, 1, shape[1])[:, None]
    column = torch.linspace(-1, 1, shape[2])
    return Samples((0.5 + 0.5 * torch.cos(u * row + v * column + 2 * phase)).expand(-1, *shape).contiguous())


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("recipe", RECIPES)
def test_shapes_there_and_back(recipe: Representation, shape):
    view = recipe.build(shape).eval()
    x = torch.rand(3, *shape)
    z = view.encode(x)
    assert z.shape == (3, *view.shape)
    assert view.decode(z).shape == x.shape


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_same_seed_is_the_same_view_to_the_bit(recipe: Representation):
    train, valid = stripes(200), stripes(50, seed=1)
    first, figures = recipe.fit(train, valid, seed=3, effort=0.005)
    torch.rand(7)
    again, same = recipe.fit(train, valid, seed=3, effort=0.005)
    assert figures == same
    assert all(torch.equal(v, again.state_dict()[k]) for k, v in first.state_dict().items())


def test_another_seed_is_another_vae():
    train, valid = stripes(200), stripes(50, seed=1)
    states = [VAE(5).fit(train, valid, seed=seed, effort=0.005)[0].state_dict() for seed in (0, 1)]
    assert not any(torch.equal(states[0][k], states[1][k]) for k in states[0])


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_state_completes_what_build_begins(recipe: Representation):
    train, valid = stripes(200), stripes(50, seed=1)
    view, _ = recipe.fit(train, valid, seed=0, effort=0.005)
    rebuilt = recipe.build(train.x.shape[1:])
    rebuilt.load_state_dict(view.state_dict())
    z = view.encode(valid.x)
    torch.testing.assert_close(rebuilt.eval().encode(valid.x), z)
    assert torch.equal(rebuilt.decode(z), view.decode(z))


@pytest.mark.parametrize("recipe", RECIPES)
def test_encoder_and_decoder_have_directional_derivatives(recipe: Representation):
    view = recipe.build((1, 12, 12)).double().eval()
    x = stripes(4).x.double()
    z, h = view.encode(x), 1e-5
    for function, at in ((view.encode, x), (view.decode, z)):
        towards = torch.randn(at.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        _, slope = torch.func.jvp(function, (at,), (towards,))
        secant = (function(at + h * towards) - function(at - h * towards)) / (2 * h)
        assert torch.allclose(slope, secant, atol=1e-6)
        batched = torch.func.vmap(lambda one, f=function: f(one[None])[0])(at)
        assert torch.allclose(batched, function(at), atol=1e-10)


def test_identity_is_the_identity():
    view, figures = Identity().fit(stripes(5), stripes(5), seed=0)
    x = stripes(5).x
    assert torch.equal(view.encode(x), x)
    assert torch.equal(view.decode(x), x)
    assert figures == {}


def test_pca_agrees_with_scikit_learn():
    train, valid = stripes(300), stripes(60, seed=1)
    view, _ = PCA(6).fit(train, valid, seed=0)
    reference = Reference(6, whiten=True, svd_solver="full").fit(train.x.flatten(1).numpy())
    expected = reference.transform(valid.x.flatten(1).numpy())
    assert np.allclose(view.encode(valid.x).abs().numpy(), np.abs(expected), atol=1e-3)
    back = reference.inverse_transform(expected).reshape(valid.x.shape)
    assert np.allclose(view.decode(view.encode(valid.x)).numpy(), back, atol=1e-4)


def test_pca_with_all_components_loses_nothing_and_whitens():
    flat = torch.randn(400, 6, generator=torch.Generator().manual_seed(0)) @ torch.triu(torch.ones(6, 6))
    train = Samples(flat)
    view, figures = PCA(6).fit(train, train, seed=0)
    z = view.encode(flat)
    assert torch.allclose(view.decode(z), flat, atol=1e-4)
    assert torch.allclose(torch.cov(z.T), torch.eye(6), atol=1e-3)
    assert figures["explained_variance"] == pytest.approx(1, abs=1e-5)


def test_pca_refuses_more_components_than_there_are():
    with pytest.raises(BenchError, match="200 components of 100 samples with 144 numbers"):
        PCA(200).fit(stripes(100), stripes(10), seed=0)
    with pytest.raises(BenchError, match="allowed is 1 or more"):
        PCA(0)


def test_vae_refuses_vectors_and_unknown_likelihoods():
    with pytest.raises(BenchError, match="it takes images"):
        VAE().build((10,))
    with pytest.raises(BenchError, match="allowed are 'bernoulli' and 'gaussian'"):
        VAE(likelihood="poisson")


def test_vae_learns_stripes_and_a_nearly_normal_posterior():
    train, valid = stripes(3000), stripes(400, seed=1)
    heard: list[tuple[int, int]] = []
    view, figures = VAE(latents=6).fit(
        train, valid, seed=0, effort=0.2, progress=lambda step, steps, loss: heard.append((step, steps))
    )
    assert figures["explained_variance"] > 0.85
    assert figures["active"] >= 3
    with torch.no_grad():
        z = view.encode(valid.x)
        error = (view.decode(z) - valid.x).square().mean()
    assert figures["mse"] == pytest.approx(error.item(), rel=1e-5)
    assert z.mean(0).abs().max() < 0.4
    assert z.var(0).max() < 1.5
    assert heard[-1][0] == len(heard) <= heard[0][1]


def test_effort_scales_the_steps():
    steps = []
    for effort in (0.002, 0.004):
        heard = []
        VAE().fit(stripes(100), stripes(20), seed=0, effort=effort, progress=lambda *args, to=heard: to.append(args))
        steps.append(heard[0][1])
    assert steps[1] == 2 * steps[0]
