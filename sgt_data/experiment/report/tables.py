"""Tables of an experiment: one row for the runs of an arm at one value of the axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sgt_data.errors import CorpusError
from sgt_data.experiment.measure.run_result import RunResult
from sgt_data.experiment.measure.seed_means import SeedMean
from sgt_data.experiment.plan.varied_axis import AxisValue, axis_text
from sgt_data.experiment.report.groups import (
    Group,
    Measure,
    accuracy_difference,
    accuracy_measures,
    chance_levels,
    groups_of,
    layout_measures,
    mean_accuracy_of,
    probe_measures,
)
from sgt_data.value_text import cut

Cell = SeedMean | str | None
"""A number over seeds, a text, or nothing."""

SEEDS_COLUMN = "seeds"
"""Name of the last of a table's first columns, those that name the row."""


@dataclass(frozen=True, slots=True)
class Table:
    """A title, named columns and rows of cells.

    Attributes:
        title: title of the table.
        columns: names of the columns; the first ones hold the arm, the value on the axis where the
            experiment has an axis, and the number of seeds.
        rows: one row for each arm and axis value; the same rows in all tables of an experiment.
        footers: rows that are no arm, such as the accuracy of guessing.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    footers: tuple[tuple[Cell, ...], ...] = ()


def tables_of(
    results: Sequence[RunResult], axis: str, baseline: tuple[str, AxisValue] | None = None
) -> list[Table]:
    """Tables of accuracy, differences to a baseline, probes, layout, and training.

    Args:
        results: results of all runs.
        axis: name of the axis, such as `pictures`.
        baseline: arm and axis value with which the others are compared; None for no such table.

    Raises:
        CorpusError: the runs do not belong together, or the baseline has no run.
    """
    groups = groups_of(results)
    tables = [
        _accuracy_table(groups, axis, results),
        *([] if baseline is None else [_difference_table(groups, axis, baseline)]),
        _probe_table(groups, axis, results),
        _table("Layout of generated targets", groups, axis, layout_measures(results)),
        _training_table(groups, axis),
    ]  # fmt: skip
    tables = [table for table in tables if len(table.columns) > 3]
    if all(group.x is None for group in groups):
        return [_without_axis(table) for table in tables]
    return tables


def _without_axis(table: Table) -> Table:
    def shorter(row: tuple[Cell, ...]) -> tuple[Cell, ...]:
        return (row[0], *row[2:])

    columns = (table.columns[0], *table.columns[2:])
    return Table(
        table.title, columns, tuple(map(shorter, table.rows)), tuple(map(shorter, table.footers))
    )


def _table(title: str, groups: Sequence[Group], axis: str, measures: dict[str, Measure]) -> Table:
    rows = (
        (*_row_head(group), *(group.over_seeds(measure) for measure in measures.values()))
        for group in groups
    )
    return Table(title, ("arm", axis, SEEDS_COLUMN, *measures), tuple(rows))


def _accuracy_table(groups: Sequence[Group], axis: str, results: Sequence[RunResult]) -> Table:
    tasks = accuracy_measures(results)
    table = _table("Accuracy", groups, axis, {"mean of tasks": mean_accuracy_of, **tasks})
    best = {task: results[0].accuracy[task].commonest for task in tasks}
    constant = {**best, "mean": sum(best.values()) / len(best)}
    columns = ["mean", *tasks]
    footers = (
        _footer("guessing", chance_levels(results), columns),
        _footer("the best constant answer", constant, columns),
    )
    return replace(table, footers=footers)


def _probe_table(groups: Sequence[Group], axis: str, results: Sequence[RunResult]) -> Table:
    probes = probe_measures(results)
    table = _table("Linear probes", groups, axis, probes)
    levels = chance_levels(results)
    footer = _footer("the commonest class", levels, [f"probe {name}" for name in probes])
    return replace(table, footers=(footer,))


def _footer(name: str, levels: Mapping[str, float], columns: Sequence[str]) -> tuple[Cell, ...]:
    return (name, "", "", *(f"{levels[column]:.3f}" for column in columns))


def _row_head(group: Group) -> tuple[Cell, ...]:
    return group.arm, axis_text(group.x), str(len(group.runs))


def _difference_table(groups: Sequence[Group], axis: str, baseline: tuple[str, AxisValue]) -> Table:
    baseline_group = next((group for group in groups if (group.arm, group.x) == baseline), None)
    if baseline_group is None:
        raise CorpusError(f"no run is of the baseline {cut(baseline[0])} at {baseline[1]}")
    columns = (
        "arm", axis, SEEDS_COLUMN, f"difference to {baseline_group.label}", "95 % interval",
        "seeds in common",
    )  # fmt: skip
    rows = tuple((*_row_head(group), *_difference_cells(group, baseline_group)) for group in groups)
    return Table("Differences in mean accuracy", columns, rows)


def _difference_cells(group: Group, baseline: Group) -> tuple[str, str, str]:
    if group is baseline:
        return "baseline", "", ""
    difference = accuracy_difference(group, baseline)
    if difference is None:
        return "", "", ""
    interval = "" if difference.low is None else f"{difference.low:+.3f} to {difference.high:+.3f}"
    return f"{difference.value:+.3f}", interval, str(difference.seeds)


def _training_table(groups: Sequence[Group], axis: str) -> Table:
    measures: dict[str, Measure] = {
        "training accuracy": lambda run: run.training_accuracy,
        "lift-off step": lambda run: run.lift_off,
        "questions seen": lambda run: run.samples.questions,
        "drawings seen": lambda run: run.samples.drawings,
        "distinct pictures": lambda run: run.samples.pictures,
        "seconds": lambda run: run.seconds,
    }
    table = _table("Training", groups, axis, measures)
    place = table.columns.index("lift-off step")
    rows = (
        (*row[:place], f"{sum(run.lift_off is not None for run in group.runs)} of "
         f"{len(group.runs)}", *row[place:])
        for group, row in zip(groups, table.rows, strict=True)
    )  # fmt: skip
    columns = (*table.columns[:place], "lifted off", *table.columns[place:])
    return Table(table.title, columns, tuple(rows))
