"""JetCLR: what augmentations keep, the loss in closed form, what the encoder ignores, and what is learned from what."""

import math
from dataclasses import replace

import pytest
import torch
from bench.models._plane import in_plane
from bench.models.jetclr import AUGMENTATIONS, Encoder, JetCLR, nt_xent, rotated, smeared, split, translated
from torch import Tensor

from bench.contracts import BenchError, FourVector, MatrixSymmetry, NoSymmetry, Problem, Samples, Task, Unsuitable
from bench.oracles.jets import Girth, Mass, Multiplicity

from .tasks import learning_task

SMALL = JetCLR(width=16, size=8, steps=10, batch=32)
ACTION = FourVector((12, 4))


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def plane(count: int = 20, padding: int = 3) -> Tensor:
    """Jets in the plane, the last constituents being none."""
    pt = 50 * torch.rand(count, 12, 1, generator=draw(), dtype=torch.float64) + 0.2
    place = 0.3 * torch.randn(count, 12, 2, generator=draw(1), dtype=torch.float64)
    jets = torch.cat([pt, place], -1)
    jets[:, 12 - padding :] = 0
    return jets


def momenta(jets: Tensor) -> Tensor:
    """Massless constituents at (pT, y, phi)."""
    pt, y, phi = jets.unbind(-1)
    return torch.stack([pt * y.cosh(), pt * phi.cos(), pt * phi.sin(), pt * y.sinh()], -1)


def distances(jets: Tensor) -> Tensor:
    return torch.cdist(jets[:, :9, 1:], jets[:, :9, 1:])


def task(count: int = 60, seed: int = 0) -> Task:
    """Narrow and wide jets."""
    jets, y = plane(count), torch.arange(count) % 2
    jets[..., 1:] *= (0.3 + y)[:, None, None]
    return learning_task(momenta(jets), y, ACTION, count - 20, seed)


@pytest.mark.parametrize("moved", [rotated, translated])
def test_motions_of_the_plane_keep_momenta_and_distances(moved) -> None:  # type: ignore[no-untyped-def]
    jets, after = plane(), moved(plane(), draw(2))
    assert torch.equal(after[..., 0], jets[..., 0])
    assert torch.allclose(distances(after), distances(jets))
    assert not after[:, 9:].any()
    assert (after[:, :9, 1:] - jets[:, :9, 1:]).abs().amax((1, 2)).min() > 1e-3


def test_a_rotation_keeps_the_centre_and_a_translation_keeps_the_extent_in_reach() -> None:
    jets = plane(padding=0)
    jets[..., 1:] -= jets[..., 1:].mean(1, keepdim=True)
    assert torch.allclose(rotated(jets, draw())[..., 1:].mean(1), torch.zeros(20, 2).double())
    shift = (translated(jets, draw()) - jets)[:, 0, 1:]
    extent = jets[..., 1:].amax(1) - jets[..., 1:].amin(1)
    assert (shift.abs() <= extent).all()


def test_splitting_is_collinear() -> None:
    jets, after = plane(), split(plane(), draw(2))
    before, p = momenta(jets), momenta(after)
    assert after.shape == (20, 18, 3)
    assert (after[..., 0] >= 0).all()
    assert torch.allclose(p.sum(1), before.sum(1))
    for safe in (Mass(), Girth()):
        assert torch.allclose(safe(p), safe(before))
    assert (Multiplicity()(p) > Multiplicity()(before)).all()


def test_smearing_moves_soft_constituents_and_no_momentum() -> None:
    jets = torch.zeros(4000, 3, 3)
    jets[:, 0, 0], jets[:, 1, 0] = 2.0, 0.5
    after = smeared(jets, draw())
    assert torch.equal(after[..., 0], jets[..., 0])
    assert after[:, 0, 1:].std().item() == pytest.approx(0.05, rel=0.05)
    assert after[:, 1, 1:].std().item() == pytest.approx(0.2, rel=0.05)
    assert not after[:, 2].any()


def test_nt_xent_of_orthogonal_jets_in_equal_views() -> None:
    """Each view has its own at cosine 1 and 2 (B - 1) at cosine 0."""
    for B, T in ((2, 1.0), (5, 0.3)):
        value = nt_xent(3 * torch.eye(B), torch.eye(B), T).item()
        assert value == pytest.approx(math.log(1 + 2 * (B - 1) * math.exp(-1 / T)), abs=1e-5)


def test_the_encoder_ignores_order_and_padding() -> None:
    encoder, jets = Encoder(16, 5).double(), plane()
    shuffled = jets[:, torch.randperm(12, generator=draw(3))]
    longer = torch.cat([jets, torch.zeros(20, 4, 3).double()], 1)
    assert torch.allclose(encoder(shuffled), encoder(jets))
    assert torch.allclose(encoder(longer), encoder(jets))


def test_jets_in_the_plane_have_their_centre_at_zero_wherever_they_point() -> None:
    jets = plane()
    jets[:, :9, 1:] += torch.tensor([0.5, 3.0])
    found = in_plane(momenta(jets))
    assert torch.allclose((found[..., :1] * found[..., 1:]).sum(1), torch.zeros(20, 2).double(), atol=1e-8)
    assert torch.allclose(distances(found), distances(plane()), atol=1e-6)


def test_narrow_and_wide_jets_are_told_apart() -> None:
    given = task(400)
    network = replace(SMALL, steps=40).fit(given, None)
    with torch.no_grad():
        assert (network(given.valid.x).argmax(1) == given.valid.y).double().mean() > 0.9


def test_labels_reach_the_linear_classifier_alone() -> None:
    given = task()
    other = replace(given, train=Samples(given.train.x, 1 - given.train.y))  # type: ignore[operator]
    one, two = SMALL.fit(given, None), SMALL.fit(other, None)
    for name, value in one.state_dict().items():
        assert torch.equal(value, two.state_dict()[name]) != name.startswith("linear")


def test_the_state_rebuilds_it_and_a_seed_gives_the_same() -> None:
    given = task()
    assert given.problem is not None
    one, two = (SMALL.fit(given, None) for _ in range(2))
    again = SMALL.build(given.problem, None)
    again.load_state_dict(two.state_dict(), assign=True)
    assert torch.equal(again(given.valid.x), one(given.valid.x))
    assert not torch.equal(SMALL.fit(task(seed=1), None)(given.valid.x), one(given.valid.x))


def test_a_symmetry_is_one_more_augmentation_and_finding_nothing_is_none() -> None:
    given = task()
    boost = torch.zeros(1, 4, 4).double()
    boost[0, 0, 1] = boost[0, 1, 0] = 1.0
    none, nothing, moved = (
        SMALL.fit(given, s)(given.valid.x) for s in (None, NoSymmetry(ACTION), MatrixSymmetry.of(ACTION, boost))
    )
    assert torch.equal(none, nothing)
    assert not torch.allclose(none, moved)


def test_the_predictor_has_exact_derivatives() -> None:
    given = task()
    network = SMALL.fit(given, None).double()
    x = given.valid.x
    v = x @ torch.randn(4, 4, generator=draw(), dtype=torch.float64)
    rate = torch.func.jvp(network, (x,), (v,))[1]
    assert torch.allclose(rate, (network(x + 1e-5 * v) - network(x - 1e-5 * v)) / 2e-5, atol=1e-5)


def test_wrong_requests_are_refused() -> None:
    with pytest.raises(BenchError, match=f"augmentations boost; allowed are {', '.join(AUGMENTATIONS)}"):
        JetCLR(augmentations=("boost", "soft"))
    with pytest.raises(Unsuitable, match=r"of jets \(constituents, 4\)"):
        SMALL.build(Problem("classification", (1, 28, 28), (2,), ACTION), None)
