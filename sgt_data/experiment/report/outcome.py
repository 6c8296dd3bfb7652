"""The outcome of an experiment on one split: what tables, plots and the page are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sgt_data.experiment.measure.drawn_examples import DrawnExamples
from sgt_data.experiment.measure.opening_record import Opening
from sgt_data.experiment.measure.run_result import RunResult
from sgt_data.value_text import counted


@dataclass(frozen=True, slots=True)
class Outcome:
    """Results of the runs of an experiment on one split.

    Attributes:
        results: results in order of the arms.
        missing: runs without a result, each with the reason.
        examples: by proxy and by label of an arm, generated targets of its first seed.
        sheets: by label of an arm, a PNG of what its first seed drew of captions.
        opening: record of the opening of the test split; None for results on validation.
    """

    results: Sequence[RunResult]
    missing: Sequence[str] = ()
    examples: Mapping[str, Mapping[str, DrawnExamples]] = field(default_factory=dict)
    sheets: Mapping[str, bytes] = field(default_factory=dict)
    opening: Opening | None = None


def split_text(outcome: Outcome) -> str:
    """A sentence for readers: on which split results were measured, and how often it was opened.

    Raises:
        ValueError: results are of the test split, and the record of its opening is missing.
    """
    opening = outcome.opening
    if opening is None and any(result.split == "test" for result in outcome.results):
        raise ValueError("results of the test split are shown with the record of its opening")
    if opening is None:
        return (
            "Measured on the validation split, on which settings were chosen too: numbers lean "
            "towards what was chosen. The test split has not been read for this page."
        )
    again = f" It went on after a stop on {', '.join(opening.resumed)}." if opening.resumed else ""
    return (
        f"Measured on the test split, opened on {opening.date} for the frozen configuration "
        f"{opening.digest}, {counted(len(opening.runs), 'run')}.{again} No other "
        "configuration read it in this folder."
    )
