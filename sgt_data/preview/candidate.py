"""An input of a corpus that may stand on a contact sheet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Candidate:
    """An input that may be shown.

    Attributes:
        shard: that holds its samples, or names it in its ledger.
        key: of its samples; empty where the input has none.
        member: its name within its source; empty where its samples say it.
        reasons: by proxy, why it became no sample.
    """

    shard: str
    key: str
    member: str = ""
    reasons: Mapping[str, str] = field(default_factory=dict)
