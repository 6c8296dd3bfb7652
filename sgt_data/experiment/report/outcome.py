"""The outcome of an experiment on one split: what tables, plots and the page are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sgt_data.experiment.measure.drawn_examples import DrawnExamples
from sgt_data.experiment.measure.opening_record import Opening
from sgt_data.experiment.measure.run_result import RunResult
from sgt_data.experiment.report.tables import Bounds, Table
from sgt_data.value_text import counted


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One opening of the test split of a corpus.

    Attributes:
        date: day, YYYY-MM-DD.
        digest: 16 hexadecimal digits of the configuration that read it.
        experiment: what was read it for, such as `proxies`.
        changed: what differs from the opening before; empty for the first.
    """

    date: str
    digest: str
    experiment: str
    changed: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """Results of the runs of an experiment on one split.

    Attributes:
        results: results in order of the arms.
        missing: runs without a result, each with the reason.
        examples: by proxy and by label of an arm, generated targets of its first seed.
        opening: record of the opening of the test split; None for results on validation.
        ledger: every opening of the test split of this corpus, in order, for any experiment.
        bounds: ceiling and floor of generation.
    """

    results: Sequence[RunResult]
    missing: Sequence[str] = ()
    examples: Mapping[str, Mapping[str, DrawnExamples]] = field(default_factory=dict)
    opening: Opening | None = None
    ledger: Sequence[LedgerRow] = ()
    bounds: Bounds = field(default_factory=dict)


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
        f"{opening.digest}, {counted(len(opening.runs), 'run')}.{again}"
    )


def ledger_text(outcome: Outcome) -> str:
    """A sentence for readers: how often any experiment read the test split of this corpus."""
    if not outcome.ledger:
        return "The test split of this corpus has not been opened."
    text = (
        f"The test split of this corpus has been opened {counted(len(outcome.ledger), 'time')}. "
        "Each opening is listed below."
    )
    if len(outcome.ledger) > 1:
        text += (
            " What an earlier one showed may have led to settings of a later one, so p-values of "
            "later ones are to be read with more doubt."
        )
    return text


def ledger_table(outcome: Outcome) -> Table | None:
    """The openings of the test split of this corpus; None where there is none."""
    if not outcome.ledger:
        return None
    columns = ("opening", "date", "configuration", "experiment", "changed since the one before")
    rows = tuple(
        (str(number), row.date, row.digest, row.experiment, row.changed)
        for number, row in enumerate(outcome.ledger, 1)
    )
    return Table("Openings of the test split", columns, rows)
