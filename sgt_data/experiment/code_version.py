"""Check that all runs of an experiment come from the same code.

A run's name follows from its configuration. If the model were edited between two runs, runs of the
old code and of the new code would stand in one table, and nobody could tell.

Compared are all Python files of the rooms that change a number: `training`, `experiment.measure`,
`stream`, `questions`, `pictures`, and the package of the model. Not compared are the plan (a run's
name holds its configuration), the report, and `corpus`, `proxies` and `subsets`: they read or
decode what the corpus' fingerprint fixes, and tested laws fix how.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import orjson

from sgt_data.errors import CorpusError, RequestError
from sgt_data.files.claim import differences
from sgt_data.files.writing import write_atomic
from sgt_data.foreign_errors import in_words
from sgt_data.training.own_models import file_of_model

FILE = "code.json"
_ROOMS = (
    "sgt_data.training",
    "sgt_data.experiment.measure",
    "sgt_data.stream",
    "sgt_data.questions",
    "sgt_data.pictures",
)


def check_code(folder: Path, make: str) -> None:
    """Write down the code that runs are made with, or compare it with what is written there.

    Args:
        folder: folder of the experiment.
        make: `module:function` that makes the model.

    Raises:
        RequestError: the code has changed since the first runs; names a file.
        CorpusError: the record of the code is damaged.
    """
    path = folder / FILE
    digests = code_digests(make)
    if not path.exists():
        write_atomic(str(path), orjson.dumps(digests, option=orjson.OPT_INDENT_2) + b"\n")
        return
    try:
        recorded = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as why:
        raise CorpusError(f"{path} is damaged: {in_words(why)}") from why
    if not isinstance(recorded, Mapping):
        raise CorpusError(f"{path} is damaged: it holds a {type(recorded).__name__}")
    changed = [difference.path for difference in differences(recorded, digests)]
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise RequestError(
            f"{folder}: {changed[0]}{more} changed since its first runs; those and new ones cannot "
            f"be compared. Take a new folder; or remove {path} if the change is of no consequence"
        )


def code_digests(make: str) -> dict[str, str]:
    """SHA-256 of every Python file that changes a run, by the file's path within its package.

    Args:
        make: `module:function` that makes the model.
    """
    files: dict[str, Path] = {}
    for room in _ROOMS:
        files |= _package_files(room)
    files |= _model_files(make.rpartition(":")[0])
    return {name: sha256(files[name].read_bytes()).hexdigest() for name in sorted(files)}


def _model_files(module: str) -> dict[str, Path]:
    """Files of the package of a module, or the module's own file where it is in no package."""
    if (file := file_of_model(module)) is not None:
        return {file.name: file}
    try:
        spec = find_spec(module)
    except (ImportError, ValueError):
        return {}  # making the model reports what is wrong
    if spec is None or spec.origin is None:
        return {}
    if spec.parent:
        return _package_files(spec.parent)
    file = Path(spec.origin)
    return {file.name: file}


def _package_files(package: str) -> dict[str, Path]:
    spec = find_spec(package)
    folders = [] if spec is None else list(spec.submodule_search_locations or ())
    return {
        f"{package.replace('.', '/')}/{file.relative_to(folder).as_posix()}": file
        for folder in map(Path, folders)
        for file in folder.rglob("*.py")
    }
