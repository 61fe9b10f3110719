"""Polarization and Lie loss against algebras that are known in closed form."""

from __future__ import annotations

import pytest
import torch
from bench.datasets.laws.schwarzschild import Schwarzschild
from bench.methods._polynomials import PolynomialFields, monomials
from bench.methods._rates import law_of, lie_derivatives, velocity
from bench.methods.lie_loss import LieLoss, subalgebras
from bench.methods.polarization import Polarization
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from bench.contracts import (
    Action,
    BenchError,
    Field,
    FourVector,
    ImageAffine,
    Linear,
    MatrixSymmetry,
    Method,
    Oracle,
    Samples,
    Task,
)
from bench.contracts.oracle import Equivariant
from bench.lie import grassmann, orthonormaliser, principal_angles
from bench.lie.identify import name

METHODS = [Polarization(), LieLoss()]


class Quadratic(Oracle):
    """sum of x'S x over the vectors of a sample."""

    def __init__(self, S: Tensor) -> None:
        super().__init__()
        self.S: Tensor
        self.register_buffer("S", S)

    def forward(self, x: Tensor) -> Tensor:
        blocks = x.reshape(len(x), -1, len(self.S))
        return torch.einsum("bci,ij,bcj->b", blocks, self.S, blocks)[:, None]


class Rough(Oracle):
    """phi and a frozen random network of a hundredth of its size: what a trained oracle adds of its own."""

    def __init__(self, phi: Oracle, D: int) -> None:
        super().__init__()
        self.phi = phi
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.network = torch.nn.Sequential(torch.nn.Linear(D, 50), torch.nn.SiLU(), torch.nn.Linear(50, 1))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.phi(x) + 0.1 * self.network(x)
        return out


class Cube(Equivariant):
    """x |x|^2, which turns as x does."""

    def forward(self, x: Tensor) -> Tensor:
        return x * x.square().sum(1, keepdim=True)


def task_of(action: Action, oracle: Oracle, seed: int = 0, count: int = 600) -> Task:
    draw = torch.Generator().manual_seed(seed)
    train, valid = (Samples(torch.randn(count, *action.shape, generator=draw)) for _ in range(2))
    return Task(train, valid, action, seed, oracle=oracle)


def keepers(S: Tensor) -> Tensor:
    """{A : A'S + S A = 0} for an invertible S: S^-1 times the antisymmetric matrices."""
    n = len(S)
    rows, columns = torch.triu_indices(n, n, 1)
    B = torch.zeros(len(rows), n, n, dtype=torch.float64)
    B[torch.arange(len(rows)), rows, columns] = 1
    return torch.linalg.inv(S.double()) @ (B - B.mT)


def distance(found: Tensor | None, true: Tensor) -> float:
    assert found is not None
    V, U = (orthonormaliser(A.flatten(1)) @ A.double().flatten(1) for A in (found, true))
    return grassmann(principal_angles(V, U), len(V), len(U))


def diagonal(*entries: float) -> Tensor:
    return torch.diag(torch.tensor(entries, dtype=torch.float32))


@pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)
@pytest.mark.parametrize(
    ("S", "known"),
    [
        (diagonal(1, 1), "so(2)"),
        (diagonal(1, 1, 1), "so(3)"),
        (diagonal(1, -1, -1, -1), "so(1,3)"),
        (diagonal(1, 1, 1, 1), "so(4)"),
        (torch.tensor([[0.0, 1], [1, 0]]), "so(1,1)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_algebra_of_a_quadratic_form_is_found_whole(method: Method, S: Tensor, known: str) -> None:
    symmetry = method.discover(task_of(Linear((len(S),)), Quadratic(S)))
    assert distance(symmetry.matrices(), keepers(S)) < 1e-5
    matrices = symmetry.matrices()
    assert matrices is not None
    assert name(matrices) == known
    assert symmetry.scores.max() < 1e-9


@given(st.integers(0, 1000), st.integers(2, 4))
@settings(max_examples=6, deadline=None)
def test_coordinates_do_not_matter(seed: int, n: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    P = torch.eye(n) + 0.4 * torch.randn(n, n, generator=draw)
    S = P.T @ torch.diag(torch.sign(torch.randn(n, generator=draw))) @ P
    if torch.linalg.cond(S) < 50:
        symmetry = Polarization().discover(task_of(Linear((n,)), Quadratic(S), seed))
        assert distance(symmetry.matrices(), keepers(S)) < 1e-4


def test_a_large_algebra_is_found_whole() -> None:
    symmetry = Polarization().discover(task_of(Linear((10,)), Quadratic(torch.eye(10))))
    assert distance(symmetry.matrices(), keepers(torch.eye(10))) < 1e-4


@pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)
def test_four_vectors_of_a_jet(method: Method) -> None:
    S = diagonal(1, -1, -1, -1)
    symmetry = method.discover(task_of(FourVector((3, 4)), Quadratic(S)))
    assert distance(symmetry.matrices(), keepers(S)) < 1e-5


@pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)
def test_an_oracle_that_turns_with_the_sample(method: Method) -> None:
    """x |x|^2 commutes with rotations alone; with the target left out nothing is kept."""
    action = Linear((3,), target=Linear((3,)))
    found = method.discover(task_of(action, Cube(), count=200))
    assert distance(found.matrices(), keepers(torch.eye(3))) < 1e-5
    assert method.discover(task_of(Linear((3,)), Cube(), count=200)).K == 0


@pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)
def test_a_rough_oracle_keeps_its_law_roughly(method: Method) -> None:
    symmetry = method.discover(task_of(Linear((3,)), Rough(Quadratic(torch.eye(3)), 3)))
    assert symmetry.K == 3
    assert 1e-9 < symmetry.scores.max() < 0.1
    assert distance(symmetry.matrices(), keepers(torch.eye(3))) < 0.1


class Skewed(Oracle):
    """A quartic polynomial that no matrix keeps."""

    def forward(self, x: Tensor) -> Tensor:
        total = sum((k + 1) * x[:, k] ** 4 + x[:, k] ** 3 for k in range(x.shape[1]))
        assert isinstance(total, Tensor)
        return total[:, None]


@pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)
def test_none_is_an_answer(method: Method) -> None:
    symmetry = method.discover(task_of(Linear((3,)), Skewed()))
    assert (symmetry.K, symmetry.M) == (0, 0)


def test_a_nearly_kept_form_is_not_kept() -> None:
    """A part in 10,000 of another law is more than rounding."""

    class Nearly(Quadratic):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) + 1e-4 * Skewed()(x)

    task = task_of(Linear((2,)), Nearly(torch.eye(2)))
    assert Polarization().discover(task).K == 0
    assert LieLoss().discover(task).K == 0
    assert distance(Polarization(K=1).discover(task).matrices(), keepers(torch.eye(2))) < 0.01


def test_so3_has_no_subalgebra_of_two_dimensions() -> None:
    task = task_of(Linear((3,)), Quadratic(torch.eye(3)))
    assert LieLoss(K=2).discover(task).K == 0
    open_pair = LieLoss(K=2, closure=0.0).discover(task)
    assert open_pair.K == 2


@pytest.mark.parametrize(
    ("S", "dimensions"),
    [(diagonal(1, 1, 1), [1, 3]), (diagonal(1, -1, -1, -1), [1, 2, 3, 4, 6])],
    ids=["so(3)", "so(1,3)"],
)
def test_the_loss_jumps_where_there_is_no_subalgebra(S: Tensor, dimensions: list[int]) -> None:
    rows = subalgebras(task_of(Linear((len(S),)), Quadratic(S)), LieLoss(restarts=12), range(1, max(dimensions) + 2))
    assert [K for K, _, called in rows if called != "none"] == dimensions
    losses = {K: loss for K, loss, _ in rows}
    worst = max(losses[K] for K in dimensions)
    assert all(loss > 1e6 * max(worst, 1e-15) for K, loss in losses.items() if K not in dimensions)


class Waves(Oracle):
    """Smooth functions of the mass within circles about the centre: rotation keeps them."""

    def __init__(self, side: int) -> None:
        super().__init__()
        grid = ImageAffine((1, side, side)).grid(torch.zeros(1))
        radius = grid[..., :2].square().sum(-1)
        self.rings: Tensor
        self.register_buffer("rings", torch.stack([torch.exp(-((radius - r) ** 2) / 0.08) for r in (0.1, 0.3, 0.6)]))

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("bchw,rhw->br", x, self.rings)


def blobs(count: int, side: int, seed: int) -> Tensor:
    """Images of two smooth blobs each, well inside."""
    draw = torch.Generator().manual_seed(seed)
    grid = ImageAffine((1, side, side)).grid(torch.zeros(1))[..., :2]
    centres = 0.45 * (2 * torch.rand(count, 2, 1, 1, 2, generator=draw) - 1)
    return torch.exp(-(grid - centres).square().sum(-1) / 0.05).sum(1)[:, None]


@pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)
def test_the_rotation_of_images_is_found(method: Method) -> None:
    action = ImageAffine((1, 20, 20))
    task = Task(Samples(blobs(300, 20, 0)), Samples(blobs(300, 20, 1)), action, 0, oracle=Waves(20))
    symmetry = method.discover(task)
    rotation = torch.tensor([[[0.0, -1, 0], [1, 0, 0], [0, 0, 0]]])
    v, u = (velocity(MatrixSymmetry.of(action, A), task.valid.x).flatten() for A in (symmetry.matrices(), rotation))
    assert symmetry.K == 1
    assert torch.cosine_similarity(v, u, 0).abs() > 0.998


def test_differences_of_fourth_order_are_exact_for_cubics() -> None:
    action = ImageAffine((1, 12, 12))
    p = action.grid(torch.zeros(1, dtype=torch.float64))
    image = (p[..., 0] ** 3 * p[..., 1])[None, None]
    A = torch.tensor([[[0.5, 0.1, 0.2], [-0.3, 0.7, 0.1], [0, 0, 0]]], dtype=torch.float64)
    moved = velocity(MatrixSymmetry.of(action, A), image)[0, 0, 0]
    flow = torch.einsum("ij,hwj->ihw", A[0, :2], p)
    exact = -(flow[0] * 3 * p[..., 0] ** 2 * p[..., 1] + flow[1] * p[..., 0] ** 3)
    torch.testing.assert_close(moved[2:-2, 2:-2], exact[2:-2, 2:-2])


def test_lie_derivatives_are_those_of_the_flow() -> None:
    task = task_of(Linear((3,)), Quadratic(torch.eye(3)), count=50)
    law = law_of(task, 50)
    fields = task.action.candidates(law.train)
    exact = lie_derivatives(law, fields, law.train)
    step = 1e-5
    for a in range(fields.K):
        t = step * torch.eye(fields.K).to(law.train)[a].expand(len(law.train), -1)
        ends = [law.oracle(fields.transform(law.train, sign * t)) @ law.axes for sign in (1, -1)]
        torch.testing.assert_close(exact[a], (ends[0] - ends[1]) / (2 * step), atol=1e-7, rtol=1e-6)


def test_rotations_as_polynomial_fields() -> None:
    task = task_of(Field((3,)), Quadratic(torch.eye(3)))
    symmetry = Polarization().discover(task)
    assert isinstance(symmetry, PolynomialFields)
    assert (symmetry.K, symmetry.degree) == (3, 1)
    x = task.valid.x
    assert (symmetry.velocity(x) * x).sum(-1).abs().max() < 1e-4


class Bent(Oracle):
    """y - x^2 is kept by v = (1, 2x): linear fields have no such symmetry but (0, 0)."""

    def forward(self, x: Tensor) -> Tensor:
        return (x[:, 1] - x[:, 0] ** 2)[:, None] ** 3


def test_the_lowest_degree_that_has_a_symmetry_is_taken() -> None:
    task = task_of(Field((2,)), Bent())
    symmetry = Polarization().discover(task)
    assert symmetry.K >= 1
    moved = symmetry.velocity(task.valid.x)
    assert (moved[..., 1] - 2 * task.valid.x[:, 0] * moved[..., 0]).abs().max() < 1e-3 * moved.abs().max()


@pytest.mark.parametrize(("D", "degree", "count"), [(2, 0, 1), (2, 2, 6), (3, 1, 4), (4, 3, 35)])
def test_all_monomials_are_there(D: int, degree: int, count: int) -> None:
    factors = monomials(D, degree)
    assert len(factors) == count
    assert len({tuple(row) for row in factors.tolist()}) == count


def test_polynomial_fields_are_rebuilt_from_their_state() -> None:
    action = Field((2,))
    found = PolynomialFields.over(action, torch.randn(40, 2), 2).combine(torch.randn(2, 12))
    again = PolynomialFields(action, **found.config())
    again.load_state_dict(found.state_dict())
    x = torch.randn(5, 2)
    torch.testing.assert_close(again.velocity(x), found.velocity(x))


@pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)
def test_without_an_oracle_nothing_can_be_done(method: Method) -> None:
    task = Task(Samples(torch.randn(9, 2)), Samples(torch.randn(9, 2)), Linear((2,)), 0)
    with pytest.raises(BenchError, match="needs an oracle and the task has none"):
        method.discover(task)


@pytest.mark.parametrize(
    ("method", "wrong"), [(Polarization, {"K": 0}), (LieLoss, {"restarts": 0}), (LieLoss, {"closure": -1.0})]
)
def test_parameters_out_of_range_are_told(method: type[Method], wrong: dict[str, int]) -> None:
    with pytest.raises(BenchError, match=f"{next(iter(wrong))} = .*allowed are"):
        method(**wrong)


def test_a_component_that_does_not_vary_counts_where_phi_moves_with_the_sample() -> None:
    """g_ti is 0 at all events, but not after a move along x_i d/dt: so four affine fields keep it, not seven."""
    law = Schwarzschild()
    train, valid = (law.load(split, 0)[:200] for split in ("train", "valid"))
    task = Task(train, valid, law.actions()["field"], 0, oracle=law.oracles()["metric"])
    assert Polarization(degree=1).discover(task).K == 4


def test_the_spread_of_a_generator_is_that_of_a_bootstrap() -> None:
    """Nothing for an exact law; for a rough one it falls with the root of the number of samples."""
    plane = Linear((2,))
    square = Quadratic(torch.eye(2))
    found = {
        (rough, count): Polarization(K=1, samples=count)
        .discover(task_of(plane, Rough(square, 2) if rough else square, count=count))
        .config()["spread"]
        for rough, count in ((False, 400), (True, 400), (True, 6400))
    }
    assert found[False, 400] < 1e-12
    assert 2 < found[True, 400] / found[True, 6400] < 8
