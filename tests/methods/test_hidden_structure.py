"""Hamilton's equations and modules, as coordinates show them."""

from collections.abc import Callable

import pytest
import torch
from bench.methods.hidden_symmetry import EnergyFlow, HiddenSymmetry, Modules
from bench.methods.hidden_symmetry.equations import hamiltonicity, modularity, symplectic_form
from bench.methods.hidden_symmetry.structure import canonical, decoupled
from torch import Tensor

from bench.contracts import BenchError, Field, Samples, Tangent, Task

from .tasks import gaussian_task


class Motion(Tangent):
    """dx/dt as a function says."""

    def __init__(self, velocity: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.velocity = velocity

    def forward(self, x: Tensor) -> Tensor:
        return self.velocity(x)


def bent(y: Tensor) -> Tensor:
    """x_1 = y_1 exp(y_0 / 2), which keeps no area; x = y otherwise."""
    return torch.cat([y[:, :1], y[:, 1:2] * (y[:, :1] / 2).exp(), y[:, 2:]], 1)


def straight(x: Tensor) -> Tensor:
    return torch.cat([x[:, :1], x[:, 1:2] * (-x[:, :1] / 2).exp(), x[:, 2:]], 1)


def task_of(velocity: Callable[[Tensor], Tensor], D: int, curved: bool = False) -> Task:
    """Samples normal in y, dy/dt as given; x = y, or bent."""

    def moving(x: Tensor) -> Tensor:
        y = straight(x)
        moved: Tensor = torch.func.jvp(bent, (y,), (velocity(y),))[1]
        return moved

    draw = torch.Generator().manual_seed(0)
    samples = (0.7 * torch.randn(n, D, generator=draw, dtype=torch.float64) for n in (1000, 300))
    train, valid = (Samples(bent(y) if curved else y) for y in samples)
    return Task(train, valid, Field((D,)), 0, oracle=Motion(moving if curved else velocity))


def pendulum(y: Tensor) -> Tensor:
    q, p = y.unbind(1)
    return torch.stack([p, -q.sin()], 1)


def oscillators(friction: float = 0.0, coupling: float = 0.0) -> Tensor:
    """B of dz/dt = B z for z = (q_1, p_1, q_2, p_2): frequencies 1 and 2."""
    B = torch.zeros(4, 4, dtype=torch.float64)
    B[0, 1], B[1, 0], B[2, 3], B[3, 2] = 1, -1, 2, -2
    B[1, 1] = B[3, 3] = -friction
    B[3, 0] = coupling
    return B


def mixing(seed: int = 0) -> Tensor:
    return torch.randn(4, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def share(part: Tensor, J: Tensor) -> Tensor:
    """|part|^2 / |J|^2, (B,)."""
    return part.square().sum((1, 2)) / J.square().sum((1, 2))


def test_slopes_of_an_energy_are_hamiltonian_and_others_are_not() -> None:
    draw = torch.Generator().manual_seed(0)
    H, J = torch.randn(2, 5000, 4, 4, generator=draw, dtype=torch.float64)
    omega = symplectic_form(4).double()
    assert hamiltonicity(omega @ (H + H.mT)).abs().max() < 1e-14
    torch.testing.assert_close(hamiltonicity(omega @ (H - H.mT)), omega @ (H - H.mT))
    torch.testing.assert_close(hamiltonicity(hamiltonicity(J)), hamiltonicity(J))
    assert share(hamiltonicity(J), J).mean().item() == pytest.approx(3 / 8, abs=0.01)
    damped = omega + torch.diag(torch.tensor([0.0, 0, -1, -1])).double()
    assert share(hamiltonicity(damped[None]), damped[None]).item() == pytest.approx(1 / 6)


def test_a_canonical_map_keeps_hamiltonicity_and_a_map_of_one_module_modularity() -> None:
    draw = torch.Generator().manual_seed(0)
    H, A = torch.randn(50, 4, 4, generator=draw, dtype=torch.float64), mixing(1)
    omega = symplectic_form(4).double()
    J = omega @ (H + H.mT)
    S = torch.linalg.matrix_exp(omega @ (A + A.T) / 4)
    assert hamiltonicity(S @ J @ torch.linalg.inv(S)).norm() < 1e-10
    assert hamiltonicity(mixing() @ J @ torch.linalg.inv(mixing())).norm() > 1
    blocks = torch.block_diag(A[:2, :2], A[2:, 2:])
    assert modularity((blocks @ oscillators() @ torch.linalg.inv(blocks))[None]).norm() < 1e-12
    assert modularity((mixing() @ oscillators() @ torch.linalg.inv(mixing()))[None]).norm() > 0.1


def test_modularity_is_what_couples_halves() -> None:
    J = torch.randn(5000, 4, 4, generator=torch.Generator().manual_seed(0))
    assert share(modularity(J), J).mean().item() == pytest.approx(0.5, abs=0.01)
    coupled = modularity(oscillators(coupling=3.0)[None])
    torch.testing.assert_close(coupled, (oscillators(coupling=3.0) - oscillators())[None])


@pytest.mark.parametrize(("friction", "there"), [(0.0, True), (0.5, False)])
def test_a_linear_mixture_of_canonical_coordinates_is_undone(friction: float, there: bool) -> None:
    S = mixing()
    J = (S @ oscillators(friction) @ torch.linalg.inv(S))[None].repeat(3, 1, 1)
    found = canonical(J, torch.Generator().manual_seed(0))
    assert torch.linalg.cond(found) < 1e4
    J = found @ J @ torch.linalg.inv(found)
    against = share(hamiltonicity(J), J).max()
    assert (against < 1e-20) == there
    assert there or against > 1e-3


def test_a_linear_mixture_of_modules_is_undone() -> None:
    S = mixing()
    J = (S @ oscillators(0.1) @ torch.linalg.inv(S))[None].repeat(3, 1, 1)
    found = decoupled(J, torch.Generator().manual_seed(0))
    assert modularity(found @ J @ torch.linalg.inv(found)).norm() < 1e-10
    assert modularity(J).norm() > 0.1


@pytest.mark.parametrize("form", ["hamiltonian", "modular"])
def test_plain_structure_needs_no_training_of_the_chart(form: str) -> None:
    S = mixing()
    task = task_of(lambda x: x @ (S @ oscillators() @ torch.linalg.inv(S)).T, 4)
    found = HiddenSymmetry(form=form, layers=0, steps=40, polish=60).discover(task)
    assert found.scores.max() < 1e-16
    assert task.oracle is not None
    x = task.valid.x
    whole = found.velocity(x).sum(0)
    assert (whole - task.oracle(x)).norm() < 0.05 * task.oracle(x).norm()


def test_each_module_keeps_the_motion_and_moves() -> None:
    S = mixing()
    B = S @ oscillators() @ torch.linalg.inv(S)
    task = task_of(lambda x: x @ B.T, 4)
    found = HiddenSymmetry(form="modular", layers=0).discover(task)
    assert isinstance(found, Modules)
    v = found.velocity(torch.eye(4).double())
    for one in v.mT - found.velocity(torch.zeros(1, 4).double()).mT:
        assert (one @ B - B @ one).norm() < 1e-9
        assert one.norm() > 0.1
        assert torch.linalg.matrix_rank(one, rtol=1e-9) == 2


def test_hidden_canonical_coordinates_are_found_with_an_energy() -> None:
    task = task_of(pendulum, 2, curved=True)
    settings = {"form": "hamiltonian", "width": 16, "steps": 30, "polish": 20}
    plain, hidden = (HiddenSymmetry(layers=layers, **settings).discover(task) for layers in (0, 2))
    assert plain.scores.item() > 0.01
    assert hidden.scores.item() < 0.01 * plain.scores.item()
    assert task.oracle is not None
    x = task.valid.x
    assert (hidden.velocity(x)[0] - task.oracle(x)).norm() < 0.1 * task.oracle(x).norm()


def test_hidden_modules_are_found() -> None:
    def two(y: Tensor) -> Tensor:
        return torch.cat([pendulum(y[:, :2]), 2 * pendulum(y[:, 2:])], 1)

    def crossed(y: Tensor) -> Tensor:
        """The bend couples y_0 of one module with y_1, here of the other."""
        return two(y[:, [0, 2, 1, 3]])[:, [0, 2, 1, 3]]

    task = task_of(crossed, 4, curved=True)
    settings = {"form": "modular", "width": 8, "steps": 15, "polish": 15}
    plain, hidden = (HiddenSymmetry(layers=layers, **settings).discover(task) for layers in (0, 4))
    assert hidden.scores.max() < 0.3 * plain.scores.max()


def test_friction_is_not_hamiltonian_in_linear_coordinates() -> None:
    task = task_of(lambda x: x @ oscillators(friction=0.5).T, 4)
    found = HiddenSymmetry(form="hamiltonian", layers=0, steps=5, polish=5).discover(task)
    assert found.scores.item() > 1e-3


def test_structure_is_that_of_a_motion_of_an_even_number_of_coordinates() -> None:
    for form in ("hamiltonian", "modular"):
        with pytest.raises(BenchError, match=f"form={form} is about the motion of an even number"):
            HiddenSymmetry(form=form).discover(gaussian_task(Field((2,))))
        with pytest.raises(BenchError, match="an even number"):
            HiddenSymmetry(form=form).discover(task_of(lambda x: -x, 3))


def test_is_rebuilt_from_config_and_state() -> None:
    task = task_of(pendulum, 2)
    assert task.oracle is not None
    for form, kind in (("hamiltonian", EnergyFlow), ("modular", Modules)):
        found = HiddenSymmetry(form=form, layers=2, width=8, steps=2, polish=2).discover(task)
        again = kind(found.action, **found.config(), oracle=task.oracle).double()
        again.load_state_dict(found.state_dict())
        torch.testing.assert_close(again.velocity(task.valid.x), found.velocity(task.valid.x))
