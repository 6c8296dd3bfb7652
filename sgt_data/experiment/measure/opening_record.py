"""Records of openings of the test split: which configuration read it, when, in which runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic.dataclasses import dataclass as checked

from sgt_data.scoring.intervals import STRICT


@checked(frozen=True, slots=True, config=STRICT)
class Opening:
    """One configuration's reading of the test split, as the experiment's folder records it.

    Attributes:
        digest: 16 hexadecimal digits of the configuration.
        date: day of the first reading, YYYY-MM-DD.
        runs: by name of a run, the SHA-256 of its result file; None until the run is measured.
        resumed: days on which an interrupted opening was continued.
    """

    digest: str
    date: str
    runs: Mapping[str, str | None]
    resumed: tuple[str, ...] = ()

    @property
    def missing(self) -> list[str]:
        """Names of the runs that are not measured yet."""
        return [run for run, digest in self.runs.items() if digest is None]


@checked(frozen=True, slots=True, config=STRICT)
class LedgerEntry:
    """One opening of a corpus' test split, as the ledger of the corpus records it.

    Attributes:
        digest: 16 hexadecimal digits of the configuration.
        kind: `scale`, `proxies` or `ratio`.
        date: day of the opening, YYYY-MM-DD.
        folder: folder of the experiment.
        corpus: digest of the corpus; a corpus that was built anew is another one.
        split: what decides which pictures the test split asks about.
        changed: fields of the configuration that differ from the entry before, each with both
            values.
        configuration: the configuration.
    """

    digest: str
    kind: str
    date: str
    folder: str
    corpus: str
    split: Mapping[str, Any]
    changed: tuple[str, ...]
    configuration: Mapping[str, Any]
