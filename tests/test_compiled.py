"""What one process has compiled no other compiles again, wherever the package is installed.

numba counts the code that it is given and the code that it makes; `hits` and `misses` are its
counts, summed over functions.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

import sgt_data
from sgt_data.machine_code import SUFFIX

CALLED = """
from sgt_data.compiled import njit

@njit
def base() -> int:
    return 20
"""
CALLER = """
import json
from called import base
from sgt_data.compiled import FUNCTIONS, njit

@njit
def add(a: int) -> int:
    return base() + a

answer = add(22)
hits, misses = (
    sum(sum(getattr(function.stats, count).values()) for function in FUNCTIONS)
    for count in ("cache_hits", "cache_misses")
)
print(json.dumps({"answer": answer, "hits": hits, "misses": misses}))
"""
FRESH = {"answer": 42, "hits": 0, "misses": 2}
KEPT = {"answer": 42, "hits": 1, "misses": 0}
"""Of the caller alone: its code holds that of the function that it calls."""

ALL_WORK = """
import json
from sgt_data.doctor.compile_now import compile_now, compiled_functions
from sgt_data.doctor.compiled_code import compiled_code_check

def with_callees(function, known):
    if function not in known:
        known.add(function)
        for name in function.py_func.__code__.co_names:
            other = function.py_func.__globals__.get(name)
            if hasattr(other, "py_func"):
                with_callees(other, known)

compile_now(lambda phase: None)
functions, reached = compiled_functions(), set()
for function in functions:
    if function.overloads:
        with_callees(function, reached)
print(json.dumps({
    "modules": sorted({function.__module__ for function in functions}),
    "not reached": [str(function) for function in functions if function not in reached],
    "misses": sum(sum(function.stats.cache_misses.values()) for function in functions),
    "check": compiled_code_check().state,
}))
"""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A folder with two modules, of which one calls a compiled function of the other."""
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "called.py").write_text(CALLED)
    (folder / "caller.py").write_text(CALLER)
    return folder


def environment(**variables: str | Path) -> dict[str, str]:
    """Of a process that knows no folder but the named ones."""
    given = {name: str(value) for name, value in variables.items()}
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(sgt_data.__file__).parent.parent),
            "PYTHONDONTWRITEBYTECODE": "1"} | given  # fmt: skip


def started(
    program: list[str], folder: Path, variables: Mapping[str, str]
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *program],
        cwd=folder, env=dict(variables), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def ended(process: subprocess.Popen[str]) -> dict[str, object]:
    """What a process says in its last line."""
    out, err = process.communicate()
    assert process.returncode == 0, err
    said: dict[str, object] = json.loads(out.splitlines()[-1])
    return said


def run(code: Path, **variables: str | Path) -> dict[str, object]:
    return ended(started(["caller.py"], code, environment(**variables)))


def kept_below(folder: Path) -> list[Path]:
    return sorted(folder.rglob(f"*{SUFFIX}"))


@pytest.mark.parametrize("where", ["named", "user", "temporary", "nowhere"])
def test_code_is_kept_in_the_first_folder_that_can_be_written(
    where: str, code: Path, tmp_path: Path
) -> None:
    """A file in the place of a folder keeps the administrator, too, from writing there."""
    places = {name: tmp_path / name for name in ("named", "user", "temporary")}
    order = list(places)
    refused = order if where == "nowhere" else order[: order.index(where)]
    for name, place in places.items():
        if name in refused:
            place.touch()
        else:
            place.mkdir()
    variables = {
        "NUMBA_CACHE_DIR": places["named"], "HOME": places["user"], "TMPDIR": places["temporary"],
    }  # fmt: skip
    if where == "nowhere":
        # Python itself needs a folder for temporary files; code is not kept in that of another
        variables["TMPDIR"] = tmp_path
        (tmp_path / f"sgt-data-compiled-{os.getuid()}").mkdir(mode=0o777)
        (tmp_path / f"sgt-data-compiled-{os.getuid()}").chmod(0o777)
    assert run(code, **variables) == FRESH
    assert {path.relative_to(tmp_path).parts[0] for path in kept_below(tmp_path)} == (
        set() if where == "nowhere" else {where}
    )
    assert run(code, **variables) == (FRESH if where == "nowhere" else KEPT)


def test_code_is_read_from_every_folder_and_not_only_where_new_code_is_written(
    code: Path, tmp_path: Path
) -> None:
    assert run(code, HOME=tmp_path / "home") == FRESH
    assert run(code, HOME=tmp_path / "home", NUMBA_CACHE_DIR=tmp_path / "named") == KEPT
    assert not kept_below(tmp_path / "named")


def test_a_change_of_a_called_function_in_another_file_is_seen(code: Path, tmp_path: Path) -> None:
    assert run(code, HOME=tmp_path) == FRESH
    (code / "called.py").write_text(CALLED.replace("20", "30"))
    assert run(code, HOME=tmp_path) == FRESH | {"answer": 52}
    (code / "called.py").write_text(CALLED)
    assert run(code, HOME=tmp_path) == KEPT, "code of both versions is kept"


@pytest.mark.parametrize("suffix", [".nbc", ".nbi"])
def test_a_cut_file_is_written_anew(suffix: str, code: Path, tmp_path: Path) -> None:
    assert run(code, HOME=tmp_path) == FRESH
    for path in tmp_path.rglob(f"*{suffix}"):
        path.write_bytes(path.read_bytes()[:-9])
    assert run(code, HOME=tmp_path) == FRESH
    assert run(code, HOME=tmp_path) == KEPT


def test_processes_on_two_kinds_of_cpu_fill_one_folder_at_the_same_time(
    code: Path, tmp_path: Path
) -> None:
    """As nodes do that share a folder."""
    own = environment(HOME=tmp_path, NUMBA_CACHE_DIR=tmp_path / "shared")
    kinds = own, own | {"NUMBA_CPU_NAME": "generic"}
    for _ in map(ended, [started(["caller.py"], code, kind) for kind in 2 * kinds]):
        pass
    for kind in kinds:
        assert ended(started(["caller.py"], code, kind)) == KEPT
    assert len(kept_below(tmp_path)) == 4, "two functions on two kinds of CPU"


@pytest.mark.slow
def test_after_one_process_has_done_all_work_no_other_compiles_anything(tmp_path: Path) -> None:
    """`sgt-data doctor --compile` calls every compiled function: a new one that it does not reach
    is named here, and belongs in `doctor/compile_now.py`. Code is kept where all tests keep it."""
    variables = dict(os.environ)
    root = Path(sgt_data.__file__).parent.parent
    decorated = [
        ".".join(path.relative_to(root).with_suffix("").parts)
        for path in root.glob("sgt_data/**/*.py")
        if "\n@njit" in path.read_text()
    ]
    first = ended(started(["-c", ALL_WORK], tmp_path, variables))
    assert first["modules"] == sorted(decorated)
    assert first["not reached"] == []
    second = ended(started(["-c", ALL_WORK], tmp_path, variables))
    assert second == first | {"misses": 0, "check": "good"}
