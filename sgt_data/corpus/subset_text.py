"""What a subset is of its corpus, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sgt_data.value_text import counted, cut_text

_CONDITION_LETTERS = 60


def subset_text(rule: Mapping[str, Any], available: int | None = None) -> str:
    """How much of its corpus a subset is, and by which condition.

    Args:
        rule: of the subset, as its header and its file record it.
        available: keys of the whole corpus; None where they are not known.
    """
    if "shards" in rule:
        return f"{rule['shards']:,} of {counted(rule['from'], 'shard')}"
    taken, fitting = rule["samples"], rule["from"]
    if rule.get("where") is None:
        return f"{taken:,} of {counted(fitting, 'sample')}"
    where = f"where {cut_text(' '.join(rule['where'].split()), _CONDITION_LETTERS)}"
    if available is None:
        return f"{taken:,} of the {counted(fitting, 'sample')} {where}"
    part = where if taken == fitting else f"of the {fitting:,} {where}"
    return f"{taken:,} of {counted(available, 'sample')} ({part})"
