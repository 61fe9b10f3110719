"""Models of jets as four-vectors: what they keep, what they refuse, and that another process can rebuild them."""

import sys
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from bench.models import _jets
from bench.models.clebsch_gordan import ClebschGordan
from bench.models.lgatr import LGATr
from bench.models.lorentz import Lorentz
from safetensors.torch import load, save
from torch import Tensor, nn

from bench.contracts import FourVector, ImageAffine, Linear, MatrixSymmetry, Model, Problem, Task, Unsuitable
from bench.errors import BenchError

from .groups import element, orthogonal
from .tasks import learning_task

SLOTS = 6
ACTION = FourVector((SLOTS, 4))
BOOSTED = orthogonal(4, 1)


def lorentz() -> MatrixSymmetry:
    return MatrixSymmetry.of(ACTION, BOOSTED)


@pytest.fixture(params=["lorentz", "lgatr", "lgatr full", "clebsch_gordan"])
def model(request: pytest.FixtureRequest) -> Model:
    if request.param == "clebsch_gordan":
        pytest.importorskip("e3nn")
        return ClebschGordan(steps=3)
    if request.param.startswith("lgatr"):
        pytest.importorskip("lgatr")
        return LGATr(steps=3, slim=request.param == "lgatr", channels=4)
    return Lorentz(steps=3)


def jets(count: int, seed: int = 0) -> Tensor:
    """Light constituents of 5 to 100 GeV about an axis, the last ones missing in every second jet."""
    draw = torch.Generator().manual_seed(seed)
    axis = torch.randn(count, 1, 3, generator=draw).double()
    n = axis / axis.norm(dim=-1, keepdim=True) + 0.2 * torch.randn(count, SLOTS, 3, generator=draw)
    p = n / n.norm(dim=-1, keepdim=True) * (5 + 95 * torch.rand(count, SLOTS, 1, generator=draw))
    x = torch.cat([(p.square().sum(-1, keepdim=True) + 0.14**2).sqrt(), p], -1)
    x[::2, 4:] = 0
    return x


def mass(x: Tensor) -> Tensor:
    P = x.sum(1)
    return (P[:, 0].square() - P[:, 1:].square().sum(1)).sqrt()


def task(seed: int = 0) -> Task:
    x = jets(120)
    return learning_task(x, (mass(x) > mass(x).median()).long(), ACTION, 90, seed)


def fitted(model: Model) -> nn.Module:
    return model.fit(task(), lorentz() if model.needs == "matrices" else None)


def boost(rapidity: float) -> Tensor:
    return torch.linalg.matrix_exp(rapidity * (BOOSTED[0] + 0.5 * BOOSTED[3]) / 1.25**0.5)


def outputs(network: nn.Module, x: Tensor) -> Tensor:
    with torch.no_grad():
        out: Tensor = network(x)
    return out


@pytest.mark.parametrize("g", [boost(1.0), boost(-1.0), element(BOOSTED), element(BOOSTED[[1, 2, 4]])])
def test_lorentz_transformations_do_not_change_the_logits(model: Model, g: Tensor) -> None:
    network, x = fitted(model), jets(40, seed=1)
    assert (outputs(network, x) - outputs(network, x @ g.T)).abs().max() < 1e-5


def test_single_precision_is_off_by_the_rounding_of_the_momenta(model: Model) -> None:
    network, x = fitted(model), jets(40, seed=1)
    moved = (x @ boost(1.0).T).float()
    assert outputs(network, x.float()).dtype == torch.float32
    assert (outputs(network, x.float()) - outputs(network, moved)).abs().max() < 0.02
    assert (outputs(network.double(), x) - outputs(network, x @ boost(1.0).T)).abs().max() < 1e-8


def test_neither_the_order_of_constituents_nor_padding_matters(model: Model) -> None:
    network, x = fitted(model), jets(40, seed=1)
    order = torch.randperm(SLOTS, generator=torch.Generator().manual_seed(0))
    padded = torch.cat([x, torch.zeros(40, 3, 4).double()], 1)
    assert (outputs(network, x) - outputs(network, x[:, order])).abs().max() < 1e-5
    assert (outputs(network, x) - outputs(network, padded)).abs().max() < 1e-5


def test_jets_of_one_constituent_or_none_have_finite_logits_and_derivatives(model: Model) -> None:
    network, x = fitted(model), jets(2)
    x[0, 1:], x[1] = 0, 0
    x[0, 0] = torch.tensor([5.0, 0, 0, 5.0])
    x.requires_grad_()
    y = network(x)
    assert y.isfinite().all()
    assert torch.autograd.grad(y.sum(), x)[0].isfinite().all()


def test_the_exact_derivative_vanishes_along_the_group_and_not_elsewhere(model: Model) -> None:
    network, x = fitted(model), jets(20, seed=1)
    along = [torch.func.jvp(network, (x,), (x @ A.T,))[1].abs().max() for A in BOOSTED]
    across = torch.func.jvp(network, (x,), (x * torch.tensor([1.0, 1, 1, 0]).double(),))[1].abs().max()
    assert max(along) < 1e-4 * across


def test_the_state_rebuilds_the_predictor(model: Model) -> None:
    network, x = fitted(model), jets(20, seed=1)
    again = model.build(Problem.of(task().train, ACTION), lorentz() if model.needs == "matrices" else None)
    again.load_state_dict(load(save(network.state_dict())), assign=True)
    assert torch.equal(outputs(network, x), outputs(again.eval(), x))


def test_a_seed_gives_the_same_predictor_and_another_seed_another(model: Model) -> None:
    symmetry, x = lorentz() if model.needs == "matrices" else None, jets(10)
    one, two, other = (outputs(model.fit(task(seed), symmetry), x) for seed in (0, 0, 1))
    assert torch.equal(one, two)
    assert not torch.allclose(one, other, atol=1e-3)


def test_it_learns_a_cut_on_the_mass(model: Model) -> None:
    learned = replace(model, steps=60, rate=0.01).fit(task(), lorentz() if model.needs == "matrices" else None)
    x = jets(200, seed=2)
    right = (outputs(learned, x).argmax(1) == (mass(x) > mass(task().train.x).median())).float().mean()
    assert right > 0.75


@pytest.mark.parametrize("action", [Linear((24,), 4), ImageAffine((1, 6, 4))], ids=["vectors", "images"])
def test_other_samples_than_jets_are_refused(model: Model, action: Linear | ImageAffine) -> None:
    with pytest.raises(Unsuitable, match="allowed is classification of jets"):
        model.build(Problem("classification", action.shape, (2,), action), None)


def test_targets_are_refused(model: Model) -> None:
    with pytest.raises(Unsuitable, match="cannot learn regression"):
        model.build(Problem("regression", (SLOTS, 4), (1,), ACTION), None)


@pytest.mark.parametrize(("built", "library"), [(LGATr, "lgatr"), (ClebschGordan, "e3nn")])
def test_without_its_library_it_says_how_to_get_it(
    built: Callable[[], Model], library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(BenchError, match=f"pip install {library}=="):
        built().build(Problem.of(task().train, ACTION), None)


def test_in_the_rest_frame_a_jet_has_its_mass_and_no_momentum() -> None:
    x = jets(30)
    P = _jets.rest_frame(x).sum(1)
    assert torch.allclose(P[:, 0], mass(x))
    assert P[:, 1:].abs().max() < 1e-9 * x.abs().max()
    squares = [y[..., 0].square() - y[..., 1:].square().sum(-1) for y in (x, _jets.rest_frame(x))]
    assert torch.allclose(*squares, atol=1e-9)
