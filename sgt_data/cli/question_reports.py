"""What `sgt-data questions` shows."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.table import Table

from sgt_data.cli.reports import size_text

if TYPE_CHECKING:
    from sgt_data.questions.write import QuestionsReport


def questions_table(report: QuestionsReport) -> Table:
    """A row per split and task."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    columns = ("split", "task", "questions", "texts", "pictures", "chance", "blind reader")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number < 2 else "right", overflow="fold")
    for split, tasks in report.splits.items():
        for task, row in tasks.items():
            counts = [f"{row[name]:,}" for name in ("questions", "texts", "pictures")]
            table.add_row(split, task, *counts, f"{row['chance']:.1%}", f"{row['blind']:.1%}")
    table.title = report.output
    table.caption = (
        f"{report.pictures:,} pictures read; {report.images:,} written ({size_text(report.nbytes)})"
    )
    return table


def questions_json(report: QuestionsReport) -> dict[str, Any]:
    return asdict(report)


def questions_notes(report: QuestionsReport) -> list[str]:
    """What a person must know beside the counts."""
    return [f"note: {note}" for note in report.notes]
