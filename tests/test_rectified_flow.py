"""Rectified flow, and the convolutions that put its patches together."""

from __future__ import annotations

import torch
from torch import Tensor

from sgt_data.training.network_layers import PATCH, Refinement, from_patches, to_patches
from sgt_data.training.rectified_flow import drawn_by_flow, flow_loss


def test_a_model_that_knows_the_target_draws_it_from_any_noise() -> None:
    torch.manual_seed(0)
    targets = torch.rand(3, 4, 12)
    times: list[float] = []

    def predict(noisy: Tensor, time: Tensor) -> Tensor:
        times.append(float(time[0]))
        return targets

    drawn = drawn_by_flow(predict, torch.randn(3, 4, 12), 8)
    torch.testing.assert_close(drawn, targets)
    assert times == [number / 8 for number in range(8)]


def test_a_model_that_knows_two_targets_draws_one_of_them_and_not_their_mean() -> None:
    """The best prediction of +1 and -1, equally likely, from what is noisy at a time."""
    torch.manual_seed(0)

    def predict(noisy: Tensor, time: Tensor) -> Tensor:
        now = time[:, None, None]
        return torch.tanh(noisy * now / (1 - now) ** 2)

    drawn = drawn_by_flow(predict, torch.randn(2000, 1, 1), 32)
    assert (drawn.abs() > 0.9).float().mean() > 0.95
    assert abs(float((drawn > 0).float().mean()) - 0.5) < 0.05


def test_the_loss_shows_targets_at_times_between_noise_and_target() -> None:
    torch.manual_seed(0)
    targets = torch.ones(4000, 1, 2)
    kept: list[Tensor] = []

    def predict(noisy: Tensor, time: Tensor) -> Tensor:
        kept.extend((noisy, time))
        return torch.zeros_like(noisy)

    assert float(flow_loss(predict, targets)) == 1.0
    noisy, time = kept
    assert time.min() > 0
    assert time.max() < 1
    assert 0.3 < float(time.median()) < 0.45  # nearer noise, and all times between
    late = time > 0.8
    assert (noisy[late] - 1).abs().max() < 1.0
    torch.testing.assert_close(
        noisy.mean((1, 2))[late].mean(), time[late].mean(), rtol=0, atol=0.05
    )


def test_convolutions_read_over_the_borders_of_patches() -> None:
    torch.manual_seed(0)
    refinement = Refinement(16, 8)
    tokens, noisy = torch.randn(1, 4, 16), torch.randn(1, 4, 3 * PATCH**2)
    changed = noisy.clone()
    changed[:, 0] += 1.0  # the upper left patch
    before, after = (from_patches(refinement(tokens, each)) for each in (noisy, changed))
    is_other = (before - after).abs().amax((0, 1)) > 1e-6
    assert is_other[:PATCH, :PATCH].all()
    assert is_other[: PATCH // 2, PATCH].any()  # the nearest column of the patch beside it
    assert not is_other[-2:, -2:].any()
    assert before.shape == (1, 3, 2 * PATCH, 2 * PATCH)
    torch.testing.assert_close(to_patches(before), refinement(tokens, noisy))
