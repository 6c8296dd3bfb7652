"""What the fuzzers share: rounds of examples until the time is up, with bounds on time and memory.

    python tests/fuzz_tars.py --seconds 120

Every example ends in a value or in one of our errors, within `SECONDS_MAX` of CPU time and with
`GROWTH_MAX` bytes of memory. A failure is printed with the smallest example that hypothesis finds.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable, Mapping
from typing import Any

import hypothesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SECONDS_MAX = 5.0
"""CPU time that one example may take."""
GROWTH_MAX = 1 << 30
"""Bytes by which the peak memory of the process may grow in one example."""

Target = tuple[st.SearchStrategy[Any], Callable[[Any], None]]
"""Examples, and a check of one of them: it may raise nothing."""


def bounded(check: Callable[[Any], None], example: Any) -> None:
    """Check an example within the bounds of time and memory."""
    began, before = time.process_time(), _peak_bytes()
    check(example)
    seconds, growth = time.process_time() - began, _peak_bytes() - before
    assert seconds < SECONDS_MAX, f"it took {seconds:.1f} s"
    assert growth < GROWTH_MAX, f"it took {growth:,} bytes"


def fuzz(target: Target, seed: int, examples: int) -> None:
    """Check some examples of a target; the same seed gives the same examples."""
    strategy, check = target

    @hypothesis.seed(seed)
    @settings(
        max_examples=examples, deadline=None, database=None, print_blob=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy)
    def run(example: Any) -> None:
        bounded(check, example)

    run()


def main(targets: Mapping[str, Target]) -> None:
    """Fuzz each target for an equal share of `--seconds`, in rounds, each with its own seed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--target", choices=list(targets))
    parser.add_argument("--seed", type=int, default=0, help="of the first round")
    given_words = parser.parse_args()
    chosen = [given_words.target] if given_words.target else list(targets)
    for name in chosen:
        seed, end = given_words.seed, time.monotonic() + given_words.seconds / len(chosen)
        while time.monotonic() < end:
            print(f"{name}: seed {seed}", flush=True)
            fuzz(targets[name], seed, 200)
            seed += 1


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def spoiled_bytes(data: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Files with a few bytes changed, taken out, doubled, or cut off at the end."""
    change = st.tuples(
        st.sampled_from(["set", "cut", "double", "end", "insert"]),
        st.floats(0, 1), st.integers(1, 600), st.binary(min_size=1, max_size=12),
    )  # fmt: skip
    return st.tuples(data, st.lists(change, max_size=4)).map(lambda pair: _spoil(*pair))


def _spoil(data: bytes, changes: list[tuple[str, float, int, bytes]]) -> bytes:
    for kind, share, length, new in changes:
        at = int(share * len(data))
        if kind == "set":
            data = data[:at] + new + data[at + len(new) :]
        elif kind == "cut":
            data = data[:at] + data[at + length :]
        elif kind == "double":
            data = data[: at + length] + data[at:]
        elif kind == "insert":
            data = data[:at] + new + data[at:]
        else:
            data = data[:at]
    return data


JUNK: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(
        (
            None, True, False, -1, 0, 1, 2**31, 2**53 + 1, 2**63, 2**64, -(2**70), 1.5, -0.0, 1e300,
            "", "x", "\0", "../a", "0" * 500, "NaN", "é", "1e5", "s3://h/x", "=1+1", "<script>",
        )
    ),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["id", "size", "counts", "a", "../b"]), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
"""JSON values that belong nowhere."""

DEEP = st.sampled_from([b"[", b'{"a":']).flatmap(
    lambda sign: st.sampled_from([60, 300, 900, 1100, 100_000]).map(
        lambda depth: sign * depth + b"1" + (b"]" if sign == b"[" else b"}") * depth
    )
)
"""JSON of many levels."""


@st.composite
def spoiled_json(draw: st.DrawFn, document: Any) -> Any:
    """A document with up to three of its values replaced, removed or doubled."""
    whole = {"document": _copied(document)}
    for _ in range(draw(st.integers(0, 3))):
        place: Any = whole
        name: Any = "document"
        while isinstance(place[name], dict | list) and place[name] and draw(st.integers(0, 4)):
            place = place[name]
            name = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else
                                        range(len(place))))  # fmt: skip
        how = draw(st.sampled_from(["replace", "replace", "remove", "double"]))
        if how == "replace" or name == "document":
            place[name] = draw(JUNK)
        elif how == "remove":
            del place[name]
        elif isinstance(place, list):
            place.append(_copied(place[name]))
    return whole["document"]


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copied(each) for name, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value
