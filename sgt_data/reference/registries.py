"""The three registries of kinds by the list of a manifest that they belong to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

from sgt_data.annotators.base import Annotator
from sgt_data.annotators.registry import annotator_kinds
from sgt_data.plugins.kinds import Kinds
from sgt_data.proxies.base import Proxy
from sgt_data.proxies.registry import proxy_kinds
from sgt_data.sources.base import Source
from sgt_data.sources.registry import source_kinds

Family = Literal["proxies", "sources", "annotators"]
"""A list of a manifest, whose members are of registered kinds."""

FAMILIES: tuple[Family, ...] = get_args(Family)

_REGISTRIES: Mapping[Family, Callable[[], Kinds[Any]]] = {
    "proxies": proxy_kinds, "sources": source_kinds, "annotators": annotator_kinds,
}  # fmt: skip
_BASES: Mapping[Family, type[Any]] = {
    "proxies": Proxy, "sources": Source, "annotators": Annotator,
}  # fmt: skip


def kinds_of(family: Family, *, built_in: bool = False) -> dict[str, type[Any]]:
    """The classes of a family that can be used, by `type`.

    Args:
        family: list of a manifest.
        built_in: only those of this package, without plug-ins.
    """
    kinds = dict(_REGISTRIES[family]())
    return {name: kind for name, kind in kinds.items() if is_built_in(kind) or not built_in}


def broken_kinds(family: Family) -> dict[str, str]:
    """Why plug-ins of a family cannot be used, by the name that they are registered by."""
    return _REGISTRIES[family]().broken()


def base_of(family: Family) -> type[Any]:
    """The base class of a family."""
    return _BASES[family]


def is_built_in(kind: type[Any]) -> bool:
    """Whether a class is one of this package."""
    return kind.__module__.partition(".")[0] == "sgt_data"
