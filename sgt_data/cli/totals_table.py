"""The table of what a corpus holds, by proxy and source."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table

from sgt_data.cli.output import report_table, size_text

_COUNTS = ("inputs", "samples", "damaged", "filtered", "segments", "shards")


def totals_table(by_proxy: Mapping[str, Mapping[str, Mapping[str, int]]]) -> Table:
    """A row per proxy and source."""
    every = [totals for by_source in by_proxy.values() for totals in by_source.values()]
    # notes, and estimated inputs that broken tars lost: columns only where there are any
    rare = [name for name in ("notes", "lost") if any(name in totals for totals in every)]
    counts = (*_COUNTS, *rare)
    table = report_table(("proxy", "source"), (*counts, "bytes"))
    for proxy, by_source in by_proxy.items():
        for source, totals in by_source.items():
            cells = [f"{totals.get(name, 0):,}" for name in counts]
            table.add_row(proxy, source, *cells, size_text(totals["bytes"]))
    return table
