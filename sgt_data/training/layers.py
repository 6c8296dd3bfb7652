"""Layers of the bundled model."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

PATCH = 8
"""Pixels to a side."""


class Convolution(nn.Module):
    """A convolution whose weight is a matrix, so that Muon takes it."""

    def __init__(self, channels: int, out: int, size: int, stride: int = 1) -> None:
        super().__init__()
        self.size, self.stride = size, stride
        bound = (channels * size**2) ** -0.5
        self.weight = nn.Parameter(torch.empty(out, channels * size**2).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(out))

    def forward(self, x: Tensor) -> Tensor:
        kernel = self.weight.view(len(self.weight), -1, self.size, self.size)
        padding = (self.size - self.stride + 1) // 2
        return F.conv2d(x, kernel, self.bias, self.stride, padding)


class Residual(nn.Module):
    """x + what a convolution makes of it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(1, channels)
        self.convolution = Convolution(channels, channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        return x + F.gelu(self.convolution(self.norm(x)))


class Block(nn.Module):
    """A transformer layer, normalised first, in which every token sees every other."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key, self.value, self.out = (
            nn.Linear(width, width, bias=False) for _ in range(4)
        )
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor, kept: int | None = None) -> Tensor:
        """[n, tokens, width] -> the same of the first `kept` tokens, or of all."""
        query, key, value = self._parts(x, kept)
        seen = F.scaled_dot_product_attention(query, key, value)
        x = x[:, :kept] + self.out(seen.transpose(1, 2).flatten(2))
        changed: Tensor = x + self.down(F.gelu(self.up(self.between(x))))
        return changed

    def attention(self, x: Tensor) -> Tensor:
        """What each token looks at: [n, heads, tokens, tokens], rows add up to 1."""
        query, key, _ = self._parts(x)
        return (query @ key.transpose(2, 3) / math.sqrt(query.shape[3])).softmax(3)

    def _parts(self, x: Tensor, kept: int | None = None) -> list[Tensor]:
        x = self.before(x)
        return [
            part(of).reshape(*of.shape[:2], self.heads, -1).transpose(1, 2)
            for part, of in ((self.query, x[:, :kept]), (self.key, x), (self.value, x))
        ]


class AnswerHead(nn.Module):
    """Answers from the token that answers, the mean of the patches, and patches picked out by
    attention with places added (Lee et al. 2019): without these a small model learns late to
    compare where two things are."""

    def __init__(self, width: int, answers: int, heads: int = 8) -> None:
        super().__init__()
        self.heads = heads
        self.look, self.value = nn.Linear(width, heads), nn.Linear(width, width)
        self.answer = nn.Sequential(
            nn.Linear(3 * width, 2 * width), nn.GELU(), nn.Linear(2 * width, answers)
        )

    def forward(self, token: Tensor, patches: Tensor, places: Tensor) -> Tensor:
        """Scores [n, answers] of `token` [n, width], `patches` [n, p, width] and the vectors of
        their `places` [p, width]."""
        seen = patches + places
        look = (self.look(seen) * seen.shape[2] ** -0.5).softmax(1)
        values = self.value(seen).reshape(*look.shape, -1)
        picked = torch.einsum("nph,nphd->nhd", look, values).flatten(1)
        found: Tensor = self.answer(torch.cat([token, patches.mean(1), picked], 1))
        return found


def grid_waves(side: int, width: int) -> Tensor:
    """[side^2, width]: sines and cosines of each place's row and column, from waves as long as two
    pictures to such of two patches."""
    at = (torch.arange(side) + 0.5) / side
    waves = math.pi * at[:, None] * torch.logspace(0, math.log2(max(2, side)), width // 4, base=2)
    line = torch.cat([waves.sin(), waves.cos()], 1)
    rows, columns = line[:, None].expand(-1, side, -1), line[None].expand(side, -1, -1)
    return torch.cat([rows, columns], 2).reshape(side**2, width)


def to_patches(pictures: Tensor) -> Tensor:
    """[n, 3, S, S] -> [n, (S / PATCH)^2, 3 * PATCH^2]."""
    return F.pixel_unshuffle(pictures, PATCH).flatten(2).transpose(1, 2)


def from_patches(patches: Tensor) -> Tensor:
    """[n, (S / PATCH)^2, 3 * PATCH^2] -> [n, 3, S, S]."""
    side = math.isqrt(patches.shape[1])
    return F.pixel_shuffle(patches.transpose(1, 2).reshape(len(patches), -1, side, side), PATCH)
