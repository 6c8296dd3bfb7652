"""Runs that are compared come from one code: what it was is kept beside them.

A run's name follows its configuration. Were the model edited in between, runs of the old code would
stand in one table with runs of the new, and nobody could tell.
"""

from __future__ import annotations

from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import orjson

from sgt_data.errors import CorpusError, RequestError
from sgt_data.files.writing import write_atomic

FILE = "code.json"
_HOME = "sgt_data.experiment"


def check_code(folder: Path, make: str) -> None:
    """Note down the code that runs are trained and measured with, or compare it with what is noted.

    Args:
        folder: of the experiment.
        make: `module:function` of the model; files of its package, or its own, count beside ours.

    Raises:
        RequestError: it has changed since; names files.
        CorpusError: what is noted is damaged.
    """
    here, place = _files(make), folder / FILE
    if not place.exists():
        write_atomic(str(place), orjson.dumps(here, option=orjson.OPT_INDENT_2) + b"\n")
        return
    try:
        there = orjson.loads(place.read_bytes())
        changed = sorted(
            name for name in {*here, *there} if here.get(name) != dict(there).get(name)
        )
    except (orjson.JSONDecodeError, TypeError, ValueError) as why:
        raise CorpusError(f"{place} is damaged: {why!r}") from why
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise RequestError(
            f"{folder}: {changed[0]}{more} changed since its first runs; those and new ones cannot "
            f"be compared. Take a new folder; or remove {place} if the change is of no consequence"
        )


def _files(make: str) -> dict[str, str]:
    """SHA-256 by file name."""
    found: dict[str, Path] = {}
    for module in (f"{_HOME}.train", make.partition(":")[0]):
        try:
            spec = find_spec(module)
        except (ImportError, ValueError):
            continue
        if spec is None or spec.origin is None:
            continue  # what is wrong with it, making the model says
        file, package = Path(spec.origin), spec.parent or ""
        for one in file.parent.glob("*.py") if package else [file]:
            found[f"{package.replace('.', '/')}/{one.name}".lstrip("/")] = one
    return {name: sha256(found[name].read_bytes()).hexdigest() for name in sorted(found)}
