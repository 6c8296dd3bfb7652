"""What `sgt-data push` shows."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.table import Table

from sgt_data.cli.reports import size_text
from sgt_data.publish.licences import counted

if TYPE_CHECKING:
    from sgt_data.publish.push import PushReport


def push_table(report: PushReport) -> Table:
    """A row per folder: what is published, and what is not."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for column in ("folder", "samples", "shards", "bytes", "licences"):
        right = column in ("samples", "shards", "bytes")
        table.add_column(column, justify="right" if right else "left", overflow="fold")
    for folder, totals in report.totals.items():
        table.add_row(
            folder, f"{totals['samples']:,}", f"{totals['shards']:,}", size_text(totals["bytes"]),
            counted(report.licences[folder]),
        )  # fmt: skip
    for one in report.left_out:
        table.add_row(one.folder, f"{one.samples:,}", "-", size_text(one.nbytes), "left out")
    state = "would be pushed" if report.dry_run else "pushed" if report.complete else "begun"
    table.title = f"{report.repository} ({state})"
    return table


def push_json(report: PushReport) -> dict[str, Any]:
    return asdict(report)


def push_notes(report: PushReport) -> list[str]:
    """What a person must know beside the table."""
    lines = [f"note: {note}" for note in report.notes]
    if report.left_out:
        lines.append(
            f"note: without {', '.join(one.folder for one in report.left_out)}, which hold "
            "pictures; --pictures takes them along, for those whose licences allow it"
        )
    lines += [f"not pushed: {shard}: {why}" for shard, why in report.failures.items()]
    if report.dry_run:
        return lines
    if not report.complete:
        lines.append("The push is not complete. The same command goes on where it stopped.")
    lines.append(
        f"{report.pushed_shards:,} shards sent ({size_text(report.pushed_bytes)}), "
        f"{report.found_shards:,} found there, {report.commits} commits"
    )
    return lines
