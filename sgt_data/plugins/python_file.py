"""Python files that a person names: read, and imported under a name with their digest."""

from __future__ import annotations

import hashlib
import re
import sys
import threading
import warnings
from dataclasses import dataclass
from importlib.abc import SourceLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from pydantic.errors import PydanticSchemaGenerationError

from sgt_data.errors import PluginError
from sgt_data.foreign_errors import in_words
from sgt_data.plugins.traces import where_raised

BYTES_MAX = 4 << 20
"""Longest Python file that is read, in bytes."""

_LOCK = threading.RLock()


@dataclass(frozen=True, slots=True)
class PythonFile:
    """A Python file as it was read. It travels to workers as text, so they need no copy of it.

    Attributes:
        path: where it lay, for messages.
        text: its bytes.
    """

    path: str
    text: bytes

    @property
    def sha256(self) -> str:
        """Digest of the text."""
        return hashlib.sha256(self.text).hexdigest()

    @property
    def module_name(self) -> str:
        """The name under which it is imported: another text is another module."""
        stem = re.sub(r"\W", "_", Path(self.path).stem)
        return f"own_code_{stem}_{self.sha256[:12]}"


def read_python_file(path: str, field: str) -> PythonFile:
    """Read a Python file of this machine.

    Args:
        path: of the file.
        field: that names it, for messages.

    Raises:
        PluginError: there is no such file, or it is no Python text.
    """
    place = Path(path).expanduser().absolute()
    try:
        if place.is_file() and place.stat().st_size > BYTES_MAX:
            raise PluginError(f"{field}: {place} is larger than {BYTES_MAX:,} bytes")
        return PythonFile(str(place), place.read_bytes())
    except OSError as why:
        raise PluginError(f"{field}: {place} cannot be read: {in_words(why)}") from why


def imported(file: PythonFile, field: str) -> ModuleType:
    """Import a file, once for each text.

    Args:
        file: the file.
        field: that names it, for messages.

    Raises:
        PluginError: the file raises an error; the message names its line.
    """
    with _LOCK:
        name = file.module_name
        if name in sys.modules:
            return sys.modules[name]
        spec = spec_from_file_location(name, file.path, loader=_TextLoader(file))
        assert spec is not None and spec.loader is not None
        module = module_from_spec(spec)
        sys.modules[name] = module
        try:
            with warnings.catch_warnings():
                # what it says of fields that hide methods is an error of the check that follows
                warnings.filterwarnings("ignore", "Field name .* shadows an attribute")
                spec.loader.exec_module(module)
        except (Exception, SystemExit) as why:
            del sys.modules[name]
            raise import_problem(why, file.path, field) from why
        return module


def import_problem(why: BaseException, path: str, field: str) -> PluginError:
    """The error to raise where a file or a module cannot be imported.

    Args:
        why: what its import raised.
        path: of the file, or the name of the module.
        field: that names it, for messages.
    """
    advice = ""
    if isinstance(why, ModuleNotFoundError):
        advice = (
            "; install it, or, where it is a file beside this one, put both into one file: a file "
            "of plugins stands alone"
        )
    if isinstance(why, SyntaxError):
        place = f"{why.filename or path}, line {why.lineno}"
        return PluginError(f"{field}: {place}: this is not Python: {why.msg}")
    summary = where_raised(why, path)
    if isinstance(why, PydanticSchemaGenerationError):
        place = summary.partition(": Pydantic")[0]
        unknown = re.search(r"schema for (.*?)\. Set", str(why))
        return PluginError(
            f"{field}: {place}: a field has the type {unknown[1] if unknown else 'unknown'}, which "
            "no manifest can hold; fields are numbers, texts, lists of them, or ClassVar"
        )
    return PluginError(f"{field}: {summary}{advice}")


class _TextLoader(SourceLoader):
    """Imports a file from the text that was read, whether or not the file still lies there."""

    def __init__(self, file: PythonFile) -> None:
        self._file = file

    def get_filename(self, fullname: str) -> str:
        return self._file.path

    def get_data(self, path: str | bytes) -> bytes:
        return self._file.text
