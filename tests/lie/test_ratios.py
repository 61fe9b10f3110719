"""Weights of samples, and limits of ratios."""

from __future__ import annotations

import pytest
import torch

from bench.lie import softened, upper_limits


def test_no_sample_counts_for_more_than_ten_times_the_median_nor_for_nothing():
    speed = torch.tensor([0.0, 1.0, 2.0, 3.0, 1e6], dtype=torch.float64)
    assert softened(speed).tolist() == pytest.approx([0.2, 1.2, 2.2, 3.2, 1e6 + 0.2])


def test_samples_at_rest_have_finite_weights():
    assert (1 / softened(torch.zeros(5, dtype=torch.float64))).isfinite().all()


def test_a_constant_ratio_is_its_own_limit():
    speeds = torch.rand(2, 50, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    factors = torch.tensor([2.0, 3.0], dtype=torch.float64)
    torch.testing.assert_close(upper_limits(factors[:, None] * speeds, speeds), factors)


def test_ninety_five_percent_of_limits_lie_above_the_ratio():
    draw = torch.Generator().manual_seed(0)
    speeds = 1 + torch.rand(4000, 200, generator=draw, dtype=torch.float64)
    changes = 3 * speeds + torch.randn(4000, 200, generator=draw, dtype=torch.float64)
    assert (upper_limits(changes, speeds) > 3).double().mean().item() == pytest.approx(0.95, abs=0.012)


def test_limits_fall_with_the_root_of_the_samples():
    changes = torch.rand(1, 100, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    few, many = (upper_limits(changes.repeat(1, k), torch.ones(1, 100 * k)) - changes.mean() for k in (1, 100))
    assert (few / many).item() == pytest.approx(10, rel=0.01)
