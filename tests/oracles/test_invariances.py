"""Each oracle keeps exactly what its table says: the listed transformations to rounding, all others not at all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from bench.datasets._rotation import ROTATION

from bench.contracts import Field, FourVector, ImageAffine, Linear, NoSymmetry
from bench.lie import closure_residual, principal_angles
from bench.oracles import PhysicsOracle, image_oracles, jet_oracles, truth_of
from bench.oracles.invariances import LORENTZ, REFLECTIONS, TRANSFORMATIONS
from bench.oracles.substructure import Subjettiness

from .transformed import IMAGE_MAPS, JET_MAPS, image, jets

HOLDS = 1e-10
FAILS = 1e-4
WIDE = 0.05
JET_ORACLES = jet_oracles()
IMAGE_ORACLES = image_oracles(WIDE)
DOCUMENT = Path(__file__).parents[2] / "docs" / "oracles.md"


def change(phi: PhysicsOracle, x: torch.Tensor, moved: torch.Tensor) -> torch.Tensor:
    """|phi(moved) - phi(x)| / |phi(x)| of each sample."""
    return (phi(moved) - phi(x)).norm(dim=1) / phi(x).norm(dim=1)


@pytest.mark.parametrize("mass", [0.0, 2.0])
@pytest.mark.parametrize("transformation", JET_MAPS)
@pytest.mark.parametrize("name", JET_ORACLES)
def test_jets(name, transformation, mass):
    phi, x = JET_ORACLES[name], jets(mass=mass)
    changes = [change(phi, x, moved) for moved in JET_MAPS[transformation](x)]
    if transformation in phi.invariances:
        assert max(c.max() for c in changes) < HOLDS
    else:
        assert max(c.median() for c in changes) > FAILS


@pytest.mark.parametrize("transformation", IMAGE_MAPS)
@pytest.mark.parametrize("name", IMAGE_ORACLES)
def test_images(name, transformation):
    phi, x = IMAGE_ORACLES[name], image()
    changes = [change(phi, x, moved) for moved in IMAGE_MAPS[transformation](x)]
    if transformation in phi.invariances:
        assert max(c.max() for c in changes) < HOLDS
    else:
        assert max(c.median() for c in changes) > FAILS


@pytest.mark.parametrize("shape", [(3, 40, 40), (1, 40, 50)])
@pytest.mark.parametrize("name", IMAGE_ORACLES)
def test_rotations_of_images_hold_as_well_as_interpolation_does(name, shape):
    """Of smooth images; the affine map that stretches along a diagonal is what a wrong answer costs."""
    phi = image_oracles(WIDE)[name]
    action = ImageAffine(shape)
    x = torch.nn.functional.avg_pool2d(torch.rand(20, shape[0], *shape[1:], dtype=torch.float64), 5, 1, 2)
    rotation = truth_of(action, {"in_plane_rotation"}).double()
    wrong = rotation.matrices() @ torch.diag(torch.tensor([1.0, -1, 1])).double()
    other = type(rotation).of(action, wrong)
    for angle in (0.3, 1.1):
        t = torch.full((len(x), 1), angle, dtype=x.dtype)
        kept = change(phi, x, rotation.transform(x, t)).median()
        lost = change(phi, x, other.transform(x, t)).median()
        assert kept < (3e-3 if "in_plane_rotation" in phi.invariances else 3e-2)
        assert lost > 5 * kept


@pytest.mark.parametrize("name", JET_ORACLES)
def test_the_truth_in_gl4_is_the_whole_null_space(name):
    """The fields of all 4x4 matrices along which phi does not change, by the singular values of d phi."""
    phi = JET_ORACLES[name]
    for mass in (0.0, 2.0):
        x = jets(300, 8, 2, mass)
        action = FourVector(x.shape[1:])
        everything = torch.eye(16, dtype=x.dtype).reshape(16, 4, 4)
        slopes = torch.stack([
            torch.func.jvp(phi, (x,), (v,))[1].flatten() for v in action.velocity(everything, x)
        ])  # fmt: skip
        axes, values, _ = torch.linalg.svd(slopes, full_matrices=False)
        null = axes.T[values < 1e-10 * values[0]]
        truth = truth_of(action, phi.invariances).matrices().double()
        assert values[15 - len(null)] > 1e-3 * values[0]
        assert len(null) == len(truth)
        assert principal_angles(null, torch.linalg.qr(truth.flatten(1).T).Q.T).max() < 1e-6
        assert closure_residual(truth) < 1e-6


@pytest.mark.parametrize("candidates", [3, 5])
def test_axes_among_few_candidates_are_as_invariant(candidates):
    phi, x = Subjettiness(candidates), jets(padded=4)
    for transformation in phi.invariances:
        for moved in JET_MAPS[transformation](x):
            assert change(phi, x, moved).max() < HOLDS


@pytest.mark.parametrize(("named", "K"), [(LORENTZ, 6), ({"rotation_z", "boost_z", "scale"}, 3), ({"any_energy"}, 4)])
def test_truths_have_their_generators(named, K):
    truth = truth_of(FourVector((5, 4)), named)
    assert (truth.K, truth.M) == (K, 0)


def test_the_lorentz_algebra_keeps_the_metric():
    metric = torch.diag(torch.tensor([1.0, -1, -1, -1]))
    A = truth_of(FourVector((5, 4)), LORENTZ).matrices()
    assert torch.equal(A.mT @ metric + metric @ A, torch.zeros(6, 4, 4))


def test_reflections_are_finite_elements():
    truth = truth_of(FourVector((5, 4)), REFLECTIONS)
    assert (truth.K, truth.M) == (0, 2)
    assert torch.equal(truth.elements @ truth.elements, torch.eye(4).expand(2, -1, -1))
    x = torch.rand(2, 3, 8, 8)
    truth = truth_of(ImageAffine(x.shape[1:]), REFLECTIONS | {"quarter_turn"})
    for j, moved in enumerate([x.flip(3), x.flip(2), *(torch.rot90(x, k, (3, 2)) for k in (1, 2, 3))]):
        assert torch.allclose(truth.element(x, j), moved, atol=1e-5)


def test_the_rotation_of_square_images_is_that_of_the_rotated_digits():
    assert torch.equal(truth_of(ImageAffine((1, 9, 9)), {"in_plane_rotation"}).matrices(), ROTATION[None])


def test_what_is_known_to_be_none_and_what_is_unknown():
    for action in (FourVector((5, 4)), ImageAffine((1, 9, 9))):
        truth = truth_of(action, {"permutation"})
        assert isinstance(truth, NoSymmetry)
        assert (truth.K, truth.M) == (0, 0)
    assert truth_of(Field((3,)), LORENTZ) is None
    assert truth_of(Linear((4,)), LORENTZ) is None


def rows(oracles: dict[str, PhysicsOracle], columns: list[str]) -> list[str]:
    """The table of the documentation: one row for each transformation that concerns the oracles."""
    return [
        f"| `{t}` | " + " | ".join("yes" if t in oracles[c].invariances else "" for c in columns) + " |"
        for t in TRANSFORMATIONS
        if t in (JET_MAPS if "pt" in oracles else {**IMAGE_MAPS, "in_plane_rotation": None})
    ]


@pytest.mark.parametrize("oracles", [JET_ORACLES, IMAGE_ORACLES], ids=["jets", "images"])
def test_the_documentation_has_the_table(oracles):
    tidy = [re.sub(r" +", " ", line) for line in DOCUMENT.read_text().splitlines()]
    header = next(line for line in tidy if line == f"| | {' | '.join(f'`{name}`' for name in oracles)} |")
    first = tidy.index(header) + 2
    expected = [re.sub(r" +", " ", row) for row in rows(oracles, list(oracles))]
    assert tidy[first : first + len(expected)] == expected
    assert not tidy[first + len(expected)].startswith("|")
