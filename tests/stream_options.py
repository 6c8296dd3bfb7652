"""Options of a stream by their own names, put into the values that `Stream` takes."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from sgt_data.stream.options import Ordering, Reading, Topology

_VALUES = {"order": Ordering, "reading": Reading, "topology": Topology}


def grouped(**options: Any) -> dict[str, Any]:
    """Arguments for `Stream`: `window=2, rank=1` become an `Ordering` and a `Topology`."""
    arguments = dict(options)
    for name, value in _VALUES.items():
        own = {field.name for field in fields(value)} & arguments.keys()
        if own:
            arguments[name] = value(**{field: arguments.pop(field) for field in sorted(own)})
    return arguments
