"""Seeds: every random choice is a pure function of the manifest's seed and names."""

from __future__ import annotations

import hashlib

import numpy as np


def derive_seed(seed: int, *names: str) -> int:
    """Seed of 64 bits for one purpose: the first 8 bytes of BLAKE2b over the seed and the names."""
    text = "\x1f".join((str(seed), *names)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")


def generator(seed: int, *names: str) -> np.random.Generator:
    """Generator of numpy (PCG64) for one purpose, seeded by `derive_seed`."""
    return np.random.Generator(np.random.PCG64(derive_seed(seed, *names)))
