"""The record of an opening of the test split: which configuration read it, when, in which runs."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic.dataclasses import dataclass as checked

from sgt_data.scoring.intervals import STRICT


@checked(frozen=True, slots=True, config=STRICT)
class Opening:
    """One configuration's reading of the test split.

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
