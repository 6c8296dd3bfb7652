"""Tables whose rows are comparisons, not arms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sgt_data.experiment.measure.contrast import Contrast
from sgt_data.experiment.measure.run_result import RunResult
from sgt_data.experiment.plan.arms import QUESTIONS_ALONE
from sgt_data.experiment.report.comparisons import Comparison, less
from sgt_data.experiment.report.findings import Finding, Findings
from sgt_data.experiment.report.groups import (
    Group,
    attention_measures,
    generation_measures,
    generation_outputs,
    named_group,
    other_set_measures,
)
from sgt_data.experiment.report.quantities import Quantity, generation, other_set
from sgt_data.experiment.report.sentences import p_text, shortfalls
from sgt_data.experiment.report.tables import Cell, Table

_INTERVAL_COLUMNS = ("difference", "95 % interval", "seeds", "of each seed")
_NOT_TESTED = "Intervals are not adjusted for their number, and none of these rows is a test."
_OVER_SEEDS = "Intervals are over seeds, and hold for these pictures. "


def contrast_tables(findings: Findings, results: Sequence[RunResult]) -> list[Table]:
    """All comparisons; and the differences behind them, by task, layer and set of questions."""
    tables = [_comparison_table(findings), _other_set_table(findings, results)]
    if findings.pair:
        tables[1:1] = [
            _generation_table(findings.pair, results), _attention_table(findings.pair, results)
        ]  # fmt: skip
    return [table for table in tables if table.rows]


def _comparison_table(findings: Findings) -> Table:
    primary = [] if findings.primary is None else [("primary", findings.primary)]
    family = [("adjusted", each) for each in findings.family]
    controls = [("negative control", each) for each in findings.negative_controls]
    columns = (
        "comparison", "kind", "quantity", "difference", "95 % interval", "p", "adjusted p",
        "seeds", "pictures", "of each seed", "note",
    )  # fmt: skip
    rows = tuple(_comparison_row(kind, each) for kind, each in [*primary, *family, *controls])
    notes = (f"Adjusted p: Holm's method over {findings.tests} tests.",) if findings.tests else ()
    return Table("Comparisons", columns, rows, notes=notes)


def _comparison_row(kind: str, finding: Finding) -> tuple[Cell, ...]:
    comparison, contrast = finding.comparison, finding.contrast
    head = (comparison.name, kind, comparison.quantity.name)
    doubts = "; ".join(
        f"{group.label} {' and '.join(missing)}"
        for group in comparison.groups
        if (missing := shortfalls(group))
    )
    if contrast is None:
        return (*head, "", "", "", "", "0", "", "", doubts)
    digits = comparison.quantity.digits
    p = "" if contrast.p is None else p_text(contrast.p)
    if kind == "negative control":
        p = ""
    adjusted = "" if finding.adjusted is None else p_text(finding.adjusted)
    pictures = "" if contrast.pictures is None else f"{contrast.pictures:,}"
    value, interval, seeds, by_seed = _interval_cells(contrast, digits)
    return (*head, value, interval, p, adjusted, seeds, pictures, by_seed, doubts)


def _generation_table(pair: tuple[Group, Group], results: Sequence[RunResult]) -> Table:
    rows = [
        (output, task, generation(output, task))
        for output in generation_outputs(results)
        for task in generation_measures(results, output)
    ]
    return Table(
        f"Captions drawn right: {less(*pair).name}",
        ("drawn", "task", *_INTERVAL_COLUMNS),
        _rows(((output, task), less(*pair, quantity)) for output, task, quantity in rows),
        notes=(_OVER_SEEDS + _NOT_TESTED,),
    )


def _attention_table(pair: tuple[Group, Group], results: Sequence[RunResult]) -> Table:
    quantities = [
        (layer, Quantity(layer, measure=measure))
        for layer, measure in attention_measures(results).items()
    ]
    return Table(
        f"Attention to the picture: {less(*pair).name}",
        ("layer", *_INTERVAL_COLUMNS),
        _rows(((layer,), less(*pair, quantity)) for layer, quantity in quantities),
        notes=(_OVER_SEEDS + _NOT_TESTED,),
    )


def _other_set_table(findings: Findings, results: Sequence[RunResult]) -> Table:
    baseline = findings.pair[1] if findings.pair else named_group(findings.groups, QUESTIONS_ALONE)
    rows = [
        ((name, group.label), less(group, baseline, other_set(name)))
        for name in other_set_measures(results)
        for group in findings.groups
        if baseline is not None and group is not baseline
    ]
    return Table(
        "Other questions: differences to the baseline",
        ("questions", "arm", *_INTERVAL_COLUMNS),
        _rows(rows),
        notes=(
            *(() if baseline is None else (f"The baseline is {baseline.label}.",)), _NOT_TESTED,
        ),
    )  # fmt: skip


def _rows(
    comparisons: Iterable[tuple[tuple[str, ...], Comparison]],
) -> tuple[tuple[Cell, ...], ...]:
    return tuple(
        (*head, *_interval_cells(contrast, 3))
        for head, comparison in comparisons
        if (contrast := comparison.contrast()) is not None
    )


def _interval_cells(contrast: Contrast, digits: int) -> tuple[str, str, str, str]:
    interval = ""
    if contrast.low is not None and contrast.high is not None:
        interval = f"{contrast.low:+.{digits}f} to {contrast.high:+.{digits}f}"
    by_seed = ", ".join(f"{value:+.{digits}f}" for value in contrast.by_seed)
    return f"{contrast.value:+.{digits}f}", interval, str(contrast.seeds), by_seed
