"""Base class of what a manifest lists: sources, annotators and proxies."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, field_validator

from sgt_data.names import checked_name
from sgt_data.plugins.python_file import PythonFile, imported


class Member(BaseModel):
    """Base class of the sources, annotators and proxies of a manifest.

    Attributes:
        type: kind, the key of a registry.
        name: of this member; unique in its list of a manifest.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str
    name: str

    # a validator, as subclasses that give a default would lose a constraint of the field
    _name_fits = field_validator("name")(checked_name)

    role: ClassVar[str] = "member"
    """What it is in a manifest: `source`, `annotator` or `proxy`."""

    to_write: ClassVar[frozenset[str]] = frozenset()
    """Names of the methods that a subclass must write."""

    own_file: ClassVar[PythonFile | None] = None
    """The file of plug-ins that its class was imported from; None for classes of packages."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Travels to a worker with the text of its file, which the worker does not have."""
        kind = type(self)
        if kind.own_file is None:
            return super().__reduce_ex__(protocol)
        return _arrived, (kind.own_file, kind.__qualname__, self.model_dump_json())


def _arrived(file: PythonFile, name: str, fields: str) -> Any:
    """A member on a worker, of the class that its file has there."""
    kind: Any = imported(file, "plugins")
    for part in name.split("."):
        kind = getattr(kind, part)
    kind.own_file = file
    return kind.model_validate_json(fields)


def base_of(kind: type[Member]) -> type[Member]:
    """The base class of this package that says what a member of a role must have."""
    bases = (each for each in kind.__mro__ if "to_write" in vars(each))
    return next(bases, Member)


def is_own(kind: type[Any]) -> bool:
    """Whether a class is own code of a user, and no part of this package."""
    return kind.__module__.partition(".")[0] != "sgt_data"
