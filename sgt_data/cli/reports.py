"""What the command line shows: tables for people, plain documents for programs, progress."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from sgt_data.corpus.reader import Corpus
    from sgt_data.engine.annotate_pictures import AnnotationReport
    from sgt_data.engine.build import BuildReport
    from sgt_data.engine.forecast import Forecast
    from sgt_data.engine.listing import Listing
    from sgt_data.progress import Progress as WorkProgress
    from sgt_data.trainers.export import ExportReport
    from sgt_data.training.train import Trained
    from sgt_data.verify.corpus import Verdict

_TOTALS = ("inputs", "samples", "damaged", "filtered", "segments", "shards", "bytes")


class _Rate(ProgressColumn):
    """Items per second, over the whole run."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.1f}/s")


class CountProgress:
    """A bar with rate and time left; call it with the number done (and in all), or with nothing
    for one more."""

    def __init__(self, console: Console, what: str) -> None:
        self._bar = Progress(
            SpinnerColumn(),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(what),
            _Rate(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=console,
            transient=True,
        )
        self._task = self._bar.add_task(what, total=None, note="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def __call__(self, done: int | None = None, total: int | None = None, note: str = "") -> None:
        if done is None:
            self._bar.advance(self._task)
        else:
            self._bar.update(self._task, completed=done, total=total, note=note)


class BuildProgress(CountProgress):
    """The bar of a build."""

    def __init__(self, console: Console) -> None:
        super().__init__(console, "pictures")

    def __call__(self, state: WorkProgress) -> None:  # type: ignore[override]
        about = "" if state.exact else " (total estimated)"
        note = f"{state.shards} shards, {size_text(state.nbytes)}{about}"
        super().__call__(state.done, max(state.done, state.total or 0), note)


class TrainProgress(CountProgress):
    """The bar of a run: call it with rows of its curve."""

    def __init__(self, console: Console, steps: int) -> None:
        super().__init__(console, "steps")
        self._steps = steps

    def __call__(self, row: Mapping[str, float]) -> None:  # type: ignore[override]
        losses = (
            f"{name} {row[name]:.3f}" for name in ("answers", "accuracy", "drawings") if name in row
        )
        super().__call__(int(row["step"]), self._steps, ", ".join(losses))


def size_text(nbytes: float) -> str:
    """Bytes in the unit that suits them (powers of 1000)."""
    for unit in ("B", "kB", "MB", "GB"):
        if nbytes < 1000:
            return f"{nbytes:.0f} {unit}" if unit == "B" else f"{nbytes:.1f} {unit}"
        nbytes /= 1000
    return f"{nbytes:,.1f} TB"


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number < 2 else "right", overflow="fold")
    return table


def _totals_table(by_proxy: Mapping[str, Mapping[str, Mapping[str, int]]]) -> Table:
    table = _table("proxy", "source", *_TOTALS)
    for proxy, by_source in by_proxy.items():
        for source, totals in by_source.items():
            cells = [f"{totals[name]:,}" for name in _TOTALS[:-1]]
            table.add_row(proxy, source, *cells, size_text(totals["bytes"]))
    return table


def forecast_table(rows: Sequence[Forecast]) -> Table:
    table = _table("source", "proxy", "slices", "shards", "pictures", "reads", "writes about")
    for row in rows:
        sign = "" if row.exact else "~"
        table.add_row(
            row.source,
            row.proxy,
            f"{row.slices:,}",
            f"{sign}{row.shards:,}",
            f"{sign}{row.pictures:,}",
            size_text(row.source_bytes),
            size_text(row.output_bytes),
        )
    return table


def forecast_json(plan: Listing, rows: Sequence[Forecast]) -> dict[str, Any]:
    return {
        "name": plan.manifest.name,
        "plan": [asdict(row) for row in rows],
        "notes": plan.notes,
    }


def build_table(report: BuildReport) -> Table:
    table = _totals_table({proxy: {"all": totals} for proxy, totals in report.totals.items()})
    table.title = report.output
    return table


def build_json(report: BuildReport) -> dict[str, Any]:
    return {**asdict(report), "succeeded": report.succeeded}


def build_warnings(report: BuildReport) -> list[str]:
    """What a person must know beside the totals."""
    lines = [f"note: {note}" for note in report.notes]
    lines += [f"not read: {failure}" for failure in report.failures]
    if report.failures:
        lines.append("The corpus is not complete. The same command goes on where it stopped.")
    lines += [
        f"{proxy}: {share:.1%} of the inputs are damaged, more than max_quarantined allows; "
        f"{report.output}/quarantine/{proxy} says which and why"
        for proxy, share in report.too_damaged.items()
    ]
    return lines


def annotation_text(report: AnnotationReport) -> str:
    totals = report.totals
    return (
        f"{report.output}: {report.built_shards} tars written, {report.found_shards} "
        f"found; "
        f"{totals['samples']:,} of {totals['inputs']:,} pictures with {totals['masks']:,} masks, "
        f"{totals['damaged']:,} left out (quarantine/), {size_text(totals['bytes'])}"
    )


def annotation_json(report: AnnotationReport) -> dict[str, Any]:
    return {**asdict(report), "succeeded": report.succeeded}


def export_text(report: ExportReport) -> str:
    samples = ", ".join(f"{count:,} {proxy}" for proxy, count in report.samples.items())
    return (
        f"{report.output}: {samples}; {report.written:,} files written "
        f"({size_text(report.nbytes)}), {report.linked:,} linked, {report.kept:,} found; "
        f"{', '.join(report.configs)}"
    )


def export_json(report: ExportReport) -> dict[str, Any]:
    return asdict(report)


def verdict_text(verdict: Verdict, deep: bool) -> str:
    how = "every byte read" if deep else "without reading tars; --deep reads them"
    if verdict.parent is not None:
        how = f"compared with the indexes of {verdict.parent}, which is verified by itself"
    lines = [str(finding) for finding in verdict.findings]
    state = "sound" if verdict.sound else f"{len(verdict.findings)} findings"
    lines.append(f"{verdict.shards} shards, {verdict.samples} samples, {how}: {state}")
    return "\n".join(lines)


def verdict_json(verdict: Verdict, deep: bool) -> dict[str, Any]:
    return {**asdict(verdict), "deep": deep, "sound": verdict.sound}


def info_table(corpus: Corpus) -> Table:
    totals = corpus.header.source_totals
    table = _totals_table({proxy: totals[proxy] for proxy in corpus.folders if proxy in totals})
    state = "complete" if corpus.header.complete else "not complete yet"
    if subset := corpus.header.identity.get("subset"):
        kind = "shards" if subset["whole"] else "samples"
        state = f"{subset[kind]:,} of {subset['from']:,} {kind}, {state}"
    if corpus.header.left_out:
        state += f", without {', '.join(corpus.header.left_out)}"
    table.title = f"{corpus.header.name} ({state})"
    return table


def info_json(corpus: Corpus) -> dict[str, Any]:
    header = corpus.header
    return {
        "url": corpus.url,
        "name": header.name,
        "complete": header.complete,
        "subset": header.identity.get("subset"),
        "parent": header.parent,
        "left_out": header.left_out,
        "totals": header.totals,
        "source_totals": header.source_totals,
        "fingerprints": header.fingerprints,
        "environment": header.environment,
    }


def trained_text(trained: Trained) -> str:
    """Where a run ended."""
    last = trained.curve[-1]
    means = ", ".join(
        f"{name} {last[name]:.4f}" for name in sorted(set(last) - {"step", "seconds"})
    )
    return f"{int(last['step'])} steps in {last['seconds']:.0f} s: {means}\n{trained.checkpoint}"


def trained_json(trained: Trained) -> dict[str, Any]:
    return {"checkpoint": str(trained.checkpoint), **trained.curve[-1]}


def _means_of(row: Mapping[str, float]) -> list[str]:
    return sorted(set(row) - {"step", "seconds"})
