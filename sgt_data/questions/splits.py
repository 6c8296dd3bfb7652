"""Which split a picture is in: by a keyed hash of its key, whatever else the corpus holds."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from sgt_data.errors import RequestError
from sgt_data.seeds import derive_seed

SPLITS = ("train", "val", "test")
SHARES: Mapping[str, float] = {"train": 0.8, "val": 0.1, "test": 0.1}


def parse_shares(text: str) -> dict[str, float]:
    """Shares as the command line has them: `train=0.8,val=0.1,test=0.1`.

    Raises:
        RequestError: they are not of this form.
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
    """Shares as their decimal digits say, those of the splits that get any.

    Raises:
        RequestError: another split than train, val and test is named, or a share is not 0 to 1, or
            they are more than everything, or nothing.
    """
    for name, share in shares.items():
        if name not in SPLITS:
            raise RequestError(f"shares: found {name!r}; allowed: {', '.join(SPLITS)}")
        if not 0 <= share <= 1:
            raise RequestError(f"shares: {name} is {share}; allowed: 0 to 1")
    exact = {name: Fraction(str(shares[name])) for name in SPLITS if shares.get(name)}
    if not 0 < sum(exact.values()) <= 1:
        raise RequestError(f"shares: they add up to {float(sum(exact.values()))}; at most 1")
    return exact


def split_of(key: str, shares: Mapping[str, Fraction], seed: int) -> str | None:
    """A picture's split; None where the shares leave it out.

    Train is filled from one end of the hashes, test from the other and val beside it: a smaller
    train split lies inside a larger one, and test and val stay what they are.
    """
    place = Fraction(derive_seed(seed, "split", key), 2**64)
    test, val = shares.get("test", Fraction(0)), shares.get("val", Fraction(0))
    if place >= 1 - test:
        return "test"
    if place >= 1 - test - val:
        return "val"
    return "train" if place < shares.get("train", Fraction(0)) else None
