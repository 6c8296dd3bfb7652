"""What `sgt-data scale` shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.table import Table

from sgt_data.cli.reports import size_text

if TYPE_CHECKING:
    from sgt_data.subsets.report import SubsetReport


def subset_table(reports: Sequence[SubsetReport]) -> Table:
    """A row per subset and proxy."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for number, column in enumerate(("place", "of", "proxy", "samples", "shards", "bytes")):
        table.add_column(column, justify="left" if number < 3 else "right", overflow="fold")
    for report in reports:
        place, share = report.place, _share(report)
        for proxy, totals in report.totals.items():
            table.add_row(
                place, share, proxy, f"{totals['samples']:,}", f"{totals['shards']:,}",
                size_text(totals["bytes"]),
            )  # fmt: skip
            place = share = ""
    return table


def _share(report: SubsetReport) -> str:
    kind = "shards" if "shards" in report.rule else "samples"
    return f"{report.rule[kind]:,} of {report.rule['from']:,} {kind}"


def subset_json(reports: Sequence[SubsetReport]) -> dict[str, Any]:
    return {
        "subsets": [{**asdict(report), "rule": dict(report.rule)} for report in reports],
        "complete": all(report.complete for report in reports),
    }


def subset_notes(reports: Sequence[SubsetReport]) -> list[str]:
    """What a person must know beside the counts."""
    lines = [
        f"note: {effect.of}: pictures of one shard correlate with {effect.correlation:+.3f}; "
        f"a mean over whole shards varies {effect.design_effect:.2f} times as much as one over "
        "as many single pictures"
        for effect in reports[0].likeness
    ]
    if "shards" in reports[0].rule:
        lines.append(
            "note: whole shards are runs of neighbouring pictures, not a random draw of pictures; "
            "counts are exact in shards, not in samples"
        )
    for report in reports:
        lines += [f"not copied: {failure}" for failure in report.failures]
    if not all(report.complete for report in reports):
        lines.append("The copy is not complete. The same command goes on where it stopped.")
    return lines
