"""The table of `--profile`: where the time of a build went."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.table import Table

from sgt_data.cli.output import report_table
from sgt_data.progress_text import duration_text
from sgt_data.value_text import counted

if TYPE_CHECKING:
    from sgt_data.engine.build_report import BuildReport


def profile_table(report: BuildReport) -> Table:
    """Stages, and below them the codecs within the stages."""
    from sgt_data.engine.profile import profile_of

    profile = profile_of(report)
    table = report_table(("stage",), ("seconds", "share", "ms per input"))
    parts = (profile.stages, "all stages", profile.work_seconds), (
        profile.codecs, "codec floor", profile.codec_floor_seconds,
    )  # fmt: skip
    for rows, name, seconds in parts:
        for row in rows:
            table.add_row(*_cells(row.name, row.seconds, row.share, row.milliseconds))
        share = seconds / profile.work_seconds if profile.work_seconds else 0.0
        table.add_row(*_cells(name, seconds, share, 1000 * seconds / max(1, profile.inputs)))
        table.add_section()
    table.title = f"where the time of {counted(profile.inputs, 'input')} went"
    return table


def profile_text(report: BuildReport) -> str:
    """What the table comes to, in words."""
    from sgt_data.engine.profile import profile_of

    profile = profile_of(report)
    if not profile.inputs:
        return "This run committed no shard, so that there is no time to show."
    return (
        f"The stages took {profile.above_floor:.2f} times as long as the codecs in them. "
        f"All workers together: {duration_text(profile.work_seconds)}; on the clock: "
        f"{duration_text(report.start_seconds)} until the first shard, then "
        f"{duration_text(report.work_seconds)}."
    )


def profile_document(report: BuildReport) -> dict[str, Any]:
    """The profile of a build as plain values, for programs."""
    from sgt_data.engine.profile import profile_of

    profile = profile_of(report)
    return {**asdict(profile), "above_floor": profile.above_floor}


def _cells(name: str, seconds: float, share: float, milliseconds: float) -> tuple[str, ...]:
    return name, f"{seconds:.2f}", f"{share:.1%}", f"{milliseconds:.2f}"
