import pytest
import torch
from bench.methods.latent_flow import LatentFlow, NeuralFields, ProjectedGenerators, WarpedGenerators
from torch import Tensor

from bench.contracts import BenchError, Field, ImageAffine, Linear, Oracle, Samples, Symmetry, Task, rms_speed

from .tasks import SquaredLength, gaussian_task, radial_share

FORMS = ("projected", "normal", "flow", "field")
SMALL = {"epochs": 15, "batch": 256, "layers": 2, "width": 16, "points": 1000}


def found(form: str, D: int, K: int = 1, **more: object) -> tuple[Symmetry, Task]:
    task = gaussian_task(Field((D,)))
    return LatentFlow(form=form, K=K, **(SMALL | more)).discover(task), task


def rebuilt(symmetry: Symmetry) -> Symmetry:
    borrowed = {"oracle": SquaredLength()} if "oracle" in symmetry.asks else {}
    again = type(symmetry)(symmetry.action, **symmetry.config(), **borrowed)
    again.load_state_dict(symmetry.state_dict())
    return again


@pytest.fixture(scope="module")
def discovered() -> dict[str, tuple[Symmetry, Task]]:
    return {form: found(form, 2) for form in FORMS}


def warped(D: int = 6, K: int = 2) -> WarpedGenerators:
    torch.manual_seed(0)
    symmetry = WarpedGenerators(Field((D,)), K, layers=4, width=16)
    symmetry.fit_whitening(torch.randn(300, D) @ torch.randn(D, D) + 3)
    torch.nn.init.normal_(symmetry.raw)
    return symmetry.requires_grad_(False)


@pytest.mark.parametrize("form", FORMS)
def test_finds_rotations(discovered: dict[str, tuple[Symmetry, Task]], form: str) -> None:
    symmetry, task = discovered[form]
    assert radial_share(symmetry.velocity(task.valid.x), task.valid.x) < 0.02
    assert symmetry.scores.shape == (1,)
    assert symmetry.scores.item() < 0.05


@pytest.mark.parametrize("form", FORMS)
def test_moves_at_unit_speed(discovered: dict[str, tuple[Symmetry, Task]], form: str) -> None:
    symmetry, task = discovered[form]
    assert rms_speed(symmetry, task.valid.x).item() == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize("form", FORMS)
def test_keeps_the_length_along_the_flow(discovered: dict[str, tuple[Symmetry, Task]], form: str) -> None:
    symmetry, task = discovered[form]
    x = task.valid.x
    moved = symmetry.transform(x, torch.full((len(x), 1), 0.5))
    assert (moved - x).norm(dim=1).square().mean().sqrt() > 0.3
    assert (moved.norm(dim=1) - x.norm(dim=1)).abs().mean() < 0.1


@pytest.mark.parametrize("form", FORMS)
def test_is_rebuilt_from_config_and_state(discovered: dict[str, tuple[Symmetry, Task]], form: str) -> None:
    symmetry, task = discovered[form]
    x, t = task.valid.x[:20], torch.full((20, 1), 0.3)
    again = rebuilt(symmetry)
    torch.testing.assert_close(again.velocity(x), symmetry.velocity(x))
    torch.testing.assert_close(again.transform(x, t), symmetry.transform(x, t))
    torch.testing.assert_close(again.scores, symmetry.scores)


@pytest.mark.parametrize("form", FORMS)
def test_velocity_is_the_derivative_of_the_flow(discovered: dict[str, tuple[Symmetry, Task]], form: str) -> None:
    symmetry, task = discovered[form]
    x = task.valid.x[:50].double()
    symmetry = rebuilt(symmetry).double()
    t = torch.full((50, 1), 1e-4, dtype=torch.float64)
    slope = (symmetry.transform(x, t) - symmetry.transform(x, -t)) / 2e-4
    torch.testing.assert_close(slope, symmetry.velocity(x)[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("form", ["projected", "normal"])
def test_several_fields_are_orthogonal_over_the_data(form: str) -> None:
    symmetry, task = found(form, 3, K=2)
    fields = symmetry.velocity(task.train.x)
    gram = torch.einsum("jbd,kbd->jk", fields, fields) / len(task.train)
    torch.testing.assert_close(gram, torch.eye(2), atol=0.15, rtol=0)
    assert radial_share(fields, task.train.x) < 0.02


@pytest.mark.parametrize("D", [2, 3])
def test_finds_antisymmetric_matrices(D: int) -> None:
    task = gaussian_task(Linear((D,)))
    symmetry = LatentFlow(K=D * (D - 1) // 2, epochs=5).discover(task)
    L = symmetry.matrices()
    assert L is not None
    torch.testing.assert_close(L, -L.mT, atol=1e-3, rtol=0)
    assert (symmetry.scores < 1e-4).all()
    torch.testing.assert_close(rms_speed(symmetry, task.train.x), torch.ones(len(L)), atol=0.1, rtol=0)


def test_matrices_need_no_field_form() -> None:
    class Mass(Oracle):
        def forward(self, x: Tensor) -> Tensor:
            rows = torch.linspace(-1, 1, 8)
            return torch.stack([x.sum((1, 2, 3)), (x * rows[:, None]).sum((1, 2, 3))], 1)

    draw = torch.Generator().manual_seed(0)
    images = torch.zeros(80, 1, 8, 8)
    images[:, :, 2:6, 2:6] = torch.rand(80, 1, 4, 4, generator=draw)
    task = Task(Samples(images[:60]), Samples(images[60:]), ImageAffine((1, 8, 8)), 0, oracle=Mass())
    symmetry = LatentFlow(epochs=1).discover(task)
    assert symmetry.matrices().shape == (1, 3, 3)
    assert symmetry.scores.item() < 0.1


def test_same_seed_same_answer() -> None:
    x = torch.randn(10, 2)
    first, second = (found("normal", 2, epochs=1)[0].velocity(x) for _ in range(2))
    torch.testing.assert_close(first, second, rtol=0, atol=0)


def test_tells_its_progress() -> None:
    told: list[tuple[int, int, float]] = []
    task = gaussian_task(Field((2,)))
    task = Task(task.train, task.valid, task.action, 0, oracle=task.oracle, progress=lambda *now: told.append(now))
    LatentFlow(form="normal", **(SMALL | {"epochs": 4})).discover(task)
    steps = [step for step, _, _ in told]
    assert steps == sorted(steps)
    assert steps[-1] <= told[0][1]


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(BenchError, match=r"form = 'magic'; allowed are projected, normal, flow, field"):
        LatentFlow(form="magic")


def test_the_map_has_an_inverse() -> None:
    symmetry, x = warped(), torch.randn(200, 6) + 3
    torch.testing.assert_close(symmetry.inverse(symmetry(x)), x, atol=1e-5, rtol=1e-5)


def test_there_and_back_is_the_identity() -> None:
    symmetry, x, t = warped(), torch.randn(100, 6) + 3, torch.randn(100, 2)
    torch.testing.assert_close(symmetry.transform(symmetry.transform(x, t), -t), x, atol=1e-4, rtol=1e-4)


def test_parallel_times_add_up() -> None:
    symmetry, x, t = warped(), torch.randn(100, 6) + 3, torch.randn(100, 2)
    twice = symmetry.transform(symmetry.transform(x, 0.7 * t), -1.9 * t)
    torch.testing.assert_close(twice, symmetry.transform(x, -1.2 * t), atol=1e-4, rtol=1e-4)


def test_antisymmetric_generators_keep_the_flowed_length() -> None:
    symmetry, x, t = warped(), torch.randn(100, 6) + 3, torch.randn(100, 2)
    moved = symmetry(symmetry.transform(x, t))
    torch.testing.assert_close(moved.norm(dim=1), symmetry(x).norm(dim=1), rtol=1e-4, atol=0)


def test_combinations_flow_exactly() -> None:
    symmetry, x, c = warped(), torch.randn(50, 6) + 3, torch.tensor([[0.3, -0.7]])
    t = torch.randn(50, 1)
    torch.testing.assert_close(symmetry.combine(c).transform(x, t), symmetry.transform(x, t @ c), atol=1e-5, rtol=1e-5)


def projected(softness: float) -> ProjectedGenerators:
    torch.manual_seed(0)
    symmetry = ProjectedGenerators(Field((4,)), 2, 2, 16, 1, SquaredLength()).double().requires_grad_(False)
    symmetry.free.fit_whitening(torch.randn(300, 4).double() @ torch.randn(4, 4).double())
    torch.nn.init.normal_(symmetry.free.raw)
    symmetry.softness.fill_(softness)
    return symmetry


def test_projected_fields_stay_on_the_level_sets() -> None:
    symmetry, x = projected(1e-12), torch.randn(100, 4).double()
    for v in symmetry.velocity(x):
        density = torch.func.jvp(lambda z: symmetry.free.log_density(symmetry.free.whiten(z)), (x,), (v,))[1]
        assert (v * x).sum(1).abs().max() < 1e-5 * v.norm(dim=1).max()
        assert density.abs().max() < 1e-5 * v.norm(dim=1).max()
        assert v.norm(dim=1).mean() > 0.1


def test_the_softest_projection_changes_nothing() -> None:
    symmetry, x = projected(1e9), torch.randn(100, 4).double()
    torch.testing.assert_close(symmetry.velocity(x), symmetry.free.velocity(x), atol=1e-4, rtol=1e-4)


def test_of_the_rotations_that_keep_phi_those_are_found_that_keep_the_density() -> None:
    """Every rotation keeps the length; the samples are round in the first plane alone."""
    angle = 2 * torch.pi * torch.rand(4000)
    ring = torch.stack([angle.cos(), angle.sin()], 1) * 2**0.5
    x = torch.cat([ring, 2 * torch.randint(2, (4000, 2)) - 1.0], 1) + 0.1 * torch.randn(4000, 4)
    task = Task(Samples(x[:3500]), Samples(x[3500:]), Field((4,)), 0, oracle=SquaredLength())
    v = LatentFlow().discover(task).velocity(x[:500])[0]
    truth = torch.stack([-x[:500, 1], x[:500, 0], *torch.zeros(2, 500)], 1)
    assert torch.cosine_similarity(v.flatten(), truth.flatten(), dim=0).abs() > 0.95


def test_fields_network_has_one_output_for_each_component() -> None:
    assert NeuralFields(Field((5,)), 3, width=8).velocity(torch.randn(7, 5)).shape == (3, 7, 5)
