"""How much of the true symmetry a trained model has."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor, nn

from bench.contracts import HeldOut, Induced, Metric, Symmetry, rms_deviation, rms_speed
from bench.lie import group_elements
from bench.metrics.prediction import predicted

__all__ = ["Invariance"]

SAMPLES = 256
ORBIT = 16
RAPIDITY = 1.0
Move = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""(x, f(x)) -> (g x, g f(x))."""


class Invariance(Metric):
    """Section 5: a model under the *true* group, on 256 test samples with 16 elements each.

    Elements are uniform where the group is compact, boosts go up to a rapidity of 1; of fields without matrices, the
    flow goes up to one deviation of the data. Finite elements are drawn uniformly.
    """

    version = 1
    asks = frozenset({"predictor", "problem", "truth", "test"})

    def score(self, **asked: Any) -> dict[str, float | None]:
        """`invariance.error` = sqrt(E |f(g x) - g f(x)|^2 / E |f(x) - E f|^2); of classes `invariance.agreement`
        P[argmax f(g x) = argmax f(x)] and `invariance.orbit`, the accuracy over the orbit, with `invariance.worst`, the
        share of samples that are right on all of it, and `invariance.still`, the accuracy where these samples stand;
        `invariance.local`, the error of L_u f at E |u|^2 = Var(x).
        """
        predictor, problem, truth, test = (asked[name] for name in ("predictor", "problem", "truth", "test"))
        classes = problem.kind == "classification"
        names = ["error", "local", *(["agreement", "still", "orbit", "worst"] if classes else [])]
        unknown = truth is None or truth.K + truth.M == 0
        if unknown or (problem.kind == "regression" and not _says_how_targets_move(truth)):
            return dict.fromkeys(f"invariance.{name}" for name in names)
        draw = torch.Generator().manual_seed(test.seed)
        samples = test.samples[torch.randperm(len(test.samples), generator=draw)[:SAMPLES].to(test.samples.x.device)]
        x, still = samples.x, predicted(predictor, samples.x)
        spread = (still - still.mean(0)).square().reshape(len(x), -1).sum(1).mean().clamp(min=1e-300)
        errors, kept, right = [], [], []
        for move in _moves(truth, test, len(x), draw):
            moved, expected = move(x, still)
            found = predicted(predictor, moved)
            errors.append((found - expected).square().reshape(len(x), -1).sum(1).mean())
            if classes:
                assert samples.y is not None
                kept.append((found.argmax(1) == still.argmax(1)).double().mean())
                right.append(found.argmax(1) == samples.y.cpu())
        scores: dict[str, float | None] = {"error": torch.stack(errors).mean().div(spread).sqrt().item(), "local": None}
        with suppress(NotImplementedError):  # a layer without a forward derivative
            scores["local"] = _local(predictor, truth, x, spread) if truth.K else None
        if right:
            orbit = torch.stack(right).double()
            scores["agreement"] = torch.stack(kept).mean().item()
            scores["still"] = (still.argmax(1) == samples.y.cpu()).double().mean().item()
            scores |= {"orbit": orbit.mean().item(), "worst": orbit.amin(0).mean().item()}
        return {f"invariance.{name}": value for name, value in scores.items()}


def _says_how_targets_move(truth: Symmetry) -> bool:
    return truth.action.target is None or (truth.moves_targets and not truth.M)


def _moves(truth: Symmetry, test: HeldOut, count: int, draw: torch.Generator) -> list[Move]:
    """As many random elements of the true group for each sample as an orbit has."""
    flows = _flows(truth, test.reference.x[:SAMPLES], count, draw)
    chosen = [torch.randint(truth.M + 1, (count,), generator=draw) for _ in range(ORBIT)]

    def move(number: int) -> Move:
        def apply(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
            with torch.no_grad():
                for t in flows[number]:
                    x = truth.transform(x, t.to(x))
                    y = truth.transform_target(y, t.to(y))
                return truth.elements_of(x, chosen[number]), y

        return apply

    return [move(number) for number in range(ORBIT)]


def _flows(truth: Symmetry, x: Tensor, count: int, draw: torch.Generator) -> list[Tensor]:
    """Of each element of the orbits the flows that lead to it, (steps, count, K)."""
    if not truth.K:
        return [torch.zeros(0, count, 0)] * ORBIT
    matrices = (truth.inner if isinstance(truth, Induced) else truth).matrices()
    if matrices is not None:
        return [group_elements(matrices, count, RAPIDITY, draw) for _ in range(ORBIT)]
    speed = rms_speed(truth, x).cpu().double()
    reach = rms_deviation(x).item() / speed.clamp(min=1e-12)
    share = 2 * torch.rand(ORBIT, 1, count, truth.K, generator=draw, dtype=torch.float64) - 1
    return list(share * reach / math.sqrt(truth.K))


def _local(predictor: nn.Module, truth: Symmetry, x: Tensor, spread: Tensor) -> float:
    """sqrt(E |L_u f|^2 / spread), the mean over true fields u; L_u f = df(u) less what moves the target.

    Exact: the derivative of the predictor forwards along u(x), and of the target's flow at t = 0.
    """
    squares = []
    with torch.no_grad():
        still = predictor(x)
        fields = truth.velocity(x)
        speeds = rms_speed(truth, x)
    for k, u in enumerate(fields):
        one = torch.eye(truth.K)[k].to(x).expand(len(x), -1)

        def carried(s: Tensor, one: Tensor = one) -> Tensor:
            return truth.transform_target(still, s * one)

        rate = torch.func.jvp(predictor, (x,), (u,))[1]
        start = torch.zeros((), dtype=x.dtype, device=x.device)
        rate = rate - torch.func.jvp(carried, (start,), (torch.ones_like(start),))[1]
        rate = rate.detach().double().cpu() * rms_deviation(x).item() / speeds[k].item()
        squares.append(rate.square().reshape(len(x), -1).sum(1).mean())
    return torch.stack(squares).mean().div(spread).sqrt().item()
