"""Layers of the bundled model, and pictures as patches."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

PATCH = 8
"""Side of a patch, pixels."""


class Convolution(nn.Module):
    """A convolution whose weight is a matrix, so that Muon can change it."""

    def __init__(self, channels: int, out: int, size: int, stride: int = 1) -> None:
        super().__init__()
        self.size, self.stride = size, stride
        bound = (channels * size**2) ** -0.5
        self.weight = nn.Parameter(torch.empty(out, channels * size**2).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(out))

    def forward(self, x: Tensor) -> Tensor:
        """Convolve [n, channels, H, W] to [n, out, H / stride, W / stride]."""
        kernel = self.weight.view(len(self.weight), -1, self.size, self.size)
        padding = (self.size - self.stride + 1) // 2
        return F.conv2d(x, kernel, self.bias, self.stride, padding)


class Residual(nn.Module):
    """A convolution whose result is added to its input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(1, channels)
        self.convolution = Convolution(channels, channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve [n, channels, H, W]; the shape stays."""
        return x + F.gelu(self.convolution(self.norm(x)))


class Block(nn.Module):
    """A transformer layer with the norms first; every token attends to every other."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key, self.value, self.out = (
            nn.Linear(width, width, bias=False) for _ in range(4)
        )
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor, is_token: Tensor | None = None, kept: int | None = None) -> Tensor:
        """Change tokens [n, tokens, width].

        Args:
            x: all tokens.
            is_token: which tokens may be attended to [n, tokens]; None for all.
            kept: number of tokens, from the first on, that are computed and returned; None for all.
        """
        query, key, value = self._projections(x, kept)
        mask = None if is_token is None else is_token[:, None, None]
        attended = F.scaled_dot_product_attention(query, key, value, mask)
        x = x[:, :kept] + self.out(attended.transpose(1, 2).flatten(2))
        changed: Tensor = x + self.down(F.gelu(self.up(self.between(x))))
        return changed

    def attention(self, x: Tensor, is_token: Tensor) -> Tensor:
        """Attention of each token to all tokens, [n, heads, tokens, tokens]; rows add up to 1."""
        query, key, _ = self._projections(x)
        scores = query @ key.transpose(2, 3) / math.sqrt(query.shape[3])
        return scores.masked_fill(~is_token[:, None, None], -torch.inf).softmax(3)

    def _projections(self, x: Tensor, kept: int | None = None) -> list[Tensor]:
        x = self.before(x)
        return [
            project(tokens).reshape(*tokens.shape[:2], self.heads, -1).transpose(1, 2)
            for project, tokens in ((self.query, x[:, :kept]), (self.key, x), (self.value, x))
        ]


class Refinement(nn.Module):
    """Convolutions over a whole noisy picture, at half its side, that a sketch of patches guides.

    Each patch is predicted from one token, so neighbours do not fit at their borders, and a thing
    of several patches falls apart. Convolutions of neighbouring pixels put it together.
    """

    def __init__(self, width: int, channels: int) -> None:
        super().__init__()
        values = 3 * 2**2
        self.sketch = nn.Linear(width, values * (PATCH // 2) ** 2)
        self.convolutions = nn.Sequential(
            Convolution(2 * values, channels, 3), nn.GELU(),
            Convolution(channels, channels, 3), nn.GELU(),
            Convolution(channels, values, 3),
        )  # fmt: skip

    def forward(self, tokens: Tensor, noisy: Tensor) -> Tensor:
        """Patches [n, patches, values] from tokens [n, patches, width] and noisy patches."""
        seen = F.pixel_unshuffle(from_patches(torch.cat([self.sketch(tokens), noisy], 2)), 2)
        refined = self.convolutions(seen.contiguous(memory_format=torch.channels_last))
        return to_patches(F.pixel_shuffle(refined, 2))


class AnswerScores(nn.Module):
    """Scores of answers that are given as vectors of their words, from the answering token.

    The head reads this token alone: what it knows of the picture came through the trunk's
    attention, which is what is measured.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.ask = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, 2 * width)
        )
        self.know = nn.Linear(width, 2 * width)

    def forward(self, token: Tensor, answers: Tensor) -> Tensor:
        """Compute scores [n, answers] from the token [n, width] and vectors [answers, width]."""
        asked: Tensor = self.ask(token)
        scores: Tensor = asked @ self.know(answers).T * asked.shape[1] ** -0.5
        return scores


def grid_waves(side: int, width: int) -> Tensor:
    """Vectors of places in a grid of patches, [side^2, width].

    They are sines and cosines of a place's row and column; the longest wave is two pictures long,
    the shortest two patches.
    """
    centres = (torch.arange(side) + 0.5) / side
    frequencies = torch.logspace(0, math.log2(max(2, side)), width // 4, base=2)
    waves = math.pi * centres[:, None] * frequencies
    line = torch.cat([waves.sin(), waves.cos()], 1)
    rows, columns = line[:, None].expand(-1, side, -1), line[None].expand(side, -1, -1)
    return torch.cat([rows, columns], 2).reshape(side**2, width)


def to_patches(pictures: Tensor) -> Tensor:
    """Cut pictures [n, 3, S, S] into patches [n, (S / PATCH)^2, 3 * PATCH^2]."""
    return F.pixel_unshuffle(pictures, PATCH).flatten(2).transpose(1, 2)


def from_patches(patches: Tensor) -> Tensor:
    """Put patches [n, (S / PATCH)^2, 3 * PATCH^2] together to pictures [n, 3, S, S]."""
    side = math.isqrt(patches.shape[1])
    return F.pixel_shuffle(patches.transpose(1, 2).reshape(len(patches), -1, side, side), PATCH)


def patch_shares(classes: Tensor, count: int) -> Tensor:
    """Share of each class in each patch, [n, (S / PATCH)^2, count] float, from [n, S, S] int64."""
    patches = F.pixel_unshuffle(classes[:, None], PATCH).flatten(2).transpose(1, 2)
    shares = torch.zeros(*patches.shape[:2], count, device=classes.device)
    ones = torch.full(patches.shape, 1 / PATCH**2, device=classes.device)
    return shares.scatter_add_(2, patches, ones)
