"""Which split a picture is in: a seeded hash of its key decides, whatever else the corpus holds."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from sgt_data import checks
from sgt_data.errors import RequestError
from sgt_data.seeds import derive_seed

SPLITS = ("train", "val", "test")
SHARES: Mapping[str, float] = {"train": 0.8, "val": 0.1, "test": 0.1}
"""The shares by default."""


def parse_shares(text: str) -> dict[str, float]:
    """Shares from the command line, in the form `train=0.8,val=0.1,test=0.1`.

    Raises:
        RequestError: the text has another form.
    """
    shares: dict[str, float] = {}
    for part in text.split(","):
        name, _, value = part.partition("=")
        try:
            shares[name.strip()] = float(value)
        except ValueError as why:
            raise RequestError(f"shares: found {part!r}; write train=0.8,val=0.1,test=0.1") from why
    return shares


def exact_shares(shares: Mapping[str, float]) -> dict[str, Fraction]:
    """Shares as exact fractions of their decimal digits, without splits whose share is 0.

    Raises:
        RequestError: a split is not train, val or test, a share is not 0 to 1, or the sum is 0 or
            more than 1.
    """
    if not isinstance(shares, Mapping):
        raise checks.wrong("shares", shares, f"a mapping: shares by split ({', '.join(SPLITS)})")
    for name, share in shares.items():
        checks.one_of("shares", name, SPLITS)
        checks.share(f"shares: {name}", share)
    exact = {name: Fraction(str(shares[name])) for name in SPLITS if shares.get(name)}
    if not 0 < sum(exact.values()) <= 1:
        raise RequestError(f"shares: they add up to {float(sum(exact.values()))}; at most 1")
    return exact


def split_of(key: str, shares: Mapping[str, Fraction], seed: int) -> str | None:
    """The split of a picture; None where the shares leave it out.

    The hashes are in 0 to 1. Train takes the lowest, test the highest, val those below test: a
    smaller train split lies inside a larger one, and val and test do not change with it.

    Args:
        key: of the picture.
        shares: by split, as `exact_shares` gives them.
        seed: of the hash.
    """
    position = Fraction(derive_seed(seed, "split", key), 2**64)
    test, val = shares.get("test", Fraction(0)), shares.get("val", Fraction(0))
    if position >= 1 - test:
        return "test"
    if position >= 1 - test - val:
        return "val"
    return "train" if position < shares.get("train", Fraction(0)) else None
