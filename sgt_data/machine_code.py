"""Machine code that numba has made, kept on disk so that no second process compiles it.

numba's own cache is not used, for three reasons. It reads no folder that it cannot write, so code
that an image brings is lost on every user but the one who built the image. Two processes that add
to one of its index files at a time can leave a name there that leads to code for another CPU, as
nodes do that share a folder. And it does not see that a called function of another file changed,
whose code it holds.

Here each signature of a function has files of its own. Their name has a digest of all that the code
depends on, and each appears whole or not at all. So one folder serves any number of installations,
versions, CPUs and processes. The format of the files is numba's, which reads and writes them.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from glob import escape
from pathlib import Path
from typing import Any

import numba
from numba.core import caching, compiler, config

from sgt_data.machine_code_folders import folders, new_folder
from sgt_data.machine_code_stamp import stamp_of

SUFFIX, _NAMING_SUFFIX = ".nbc", ".nbi"
"""Of files with code, and of the file beside each that names it: numba's own."""

_DIGITS = 16
_OLD_SECONDS = 30 * 24 * 3600
"""Code of another version of a function is deleted at this age, where the function is kept anew."""

_caching: Any = caching  # these have no types
_compiler: Any = compiler
_config: Any = config


class MachineCode:
    """The kept code of one function, with the methods that numba asks of a cache."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    @property
    def cache_path(self) -> str | None:
        """The folder where new code is written; None where none takes it."""
        folder = new_folder()
        return None if folder is None else str(folder)

    def load_overload(self, signature: Any, target: Any) -> Any:
        """The code for a signature; None where it is not kept, or where its file is damaged."""
        target.refresh()
        name = self._file_name(signature, target.codegen())
        for folder in folders():
            if (kept := _kept_in(folder, name)) is not None:
                return _compiler.CompileResult._rebuild(target, *kept)
        return None

    def save_overload(self, signature: Any, compiled: Any) -> None:
        """Keep code, where a folder takes it and the code holds no address of this process."""
        if compiled.library.has_dynamic_globals or compiled.lifted:
            return
        folder = new_folder()
        if folder is None:
            return
        name = self._file_name(signature, compiled.codegen)
        with suppress(OSError):  # a full disk: the next process compiles, as this one did
            _files(folder, name).save(name, compiled._reduce())
            self._remove_old(folder)

    def is_kept(self, codegen: Any) -> bool:
        """Whether the code of some signature is kept for this CPU."""
        start = self._start(codegen)
        return any(True for folder in folders() for _ in folder.glob(f"{escape(start)}-*{SUFFIX}"))

    def _file_name(self, signature: Any, codegen: Any) -> str:
        return f"{self._start(codegen)}-{_digest(str(signature))}"

    def _start(self, codegen: Any) -> str:
        """Of a name: the function, its stamp, and a digest of the CPU and the compiler."""
        made_by = numba.__version__, int(_config.OPT), _config.BOUNDSCHECK, codegen.magic_tuple()
        return f"{self._stem}-{self._stamp}-{_digest(repr(made_by))}"

    @cached_property
    def _stem(self) -> str:
        module = self._function.__module__.removeprefix("sgt_data.")
        return f"{module}.{self._function.__qualname__}-{sys.implementation.cache_tag}"

    @cached_property
    def _stamp(self) -> str:
        return stamp_of(self._function)[:_DIGITS]

    def _remove_old(self, folder: Path) -> None:
        """Delete files of other versions of this function that nobody has needed anew for long."""
        oldest = time.time() - _OLD_SECONDS
        for path in folder.glob(f"{escape(self._stem)}-*"):
            with suppress(OSError):
                if path.stat().st_mtime < oldest and f"-{self._stamp}-" not in path.name:
                    path.unlink()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def _kept_in(folder: Path, name: str) -> Any:
    try:
        return _files(folder, name).load(name)
    except Exception:  # of a cut or damaged file, which may say anything: it is written anew
        with suppress(OSError):
            (folder / f"{name}{_NAMING_SUFFIX}").unlink()
        return None


def _files(folder: Path, name: str) -> Any:
    return _caching.IndexDataCacheFile(str(folder), name, name)
