"""Tables of an experiment: one row for the runs of an arm at one value of the axis."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sgt_data.experiment.measure.run_result import RunResult
from sgt_data.experiment.measure.seed_means import SeedMean
from sgt_data.experiment.plan.varied_axis import axis_text
from sgt_data.experiment.report.groups import (
    Group,
    Measure,
    accuracy_measures,
    attention_measures,
    chance_levels,
    even_attention,
    generation_measures,
    generation_outputs,
    groups_of,
    layout_measures,
    mean_accuracy_of,
    other_set_measures,
    probe_measures,
    shuffled_measures,
)

if TYPE_CHECKING:
    from sgt_data.experiment.measure.generation_bounds import GenerationBounds

_SHUFFLED_NOTE = (
    "Captions shuffled: the share of an arm's drawings that show what captions of other pictures "
    "say, which is reached without reading them."
)
_PICTURE = "picture"
"""The kind of output that a segmenter reads."""

Cell = SeedMean | str | None
"""A number over seeds, a text, or nothing."""

SEEDS_COLUMN = "seeds"
"""Name of the last of a table's first columns, those that name the row."""


@dataclass(frozen=True, slots=True)
class Table:
    """A title, named columns and rows of cells.

    Attributes:
        title: title of the table.
        columns: names of the columns; in a table by arm the first ones hold the arm, the value on
            the axis where the experiment has an axis, and the number of seeds.
        rows: rows of cells; in tables by arm one for each arm and axis value, the same in all
            tables of an experiment.
        footers: rows that are no arm, such as the accuracy of guessing.
        flags: a sign for each row that people must not overlook, shown after its first cell;
            empty for none. Programs find what they say in columns of the training table.
        notes: what people must know about the table, such as the meaning of its signs.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    footers: tuple[tuple[Cell, ...], ...] = ()
    flags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def tables_of(
    results: Sequence[RunResult], axis: str, bounds: GenerationBounds | None = None
) -> list[Table]:
    """Tables by arm: accuracy, probes, layout, generation, other questions, attention, training.

    Args:
        results: results of all runs.
        axis: name of the axis, such as `pictures`.
        bounds: ceiling and floor of generation; None where they are not known.

    Raises:
        CorpusError: the runs do not belong together.
    """
    groups = groups_of(results)
    tables = [
        _accuracy_table(groups, axis, results),
        _training_table(groups, axis),
        *(
            _generation_table(groups, axis, results, (output, bounds))
            for output in generation_outputs(results)
        ),
        _table("Other questions", groups, axis, other_set_measures(results)),
        _attention_table(groups, axis, results),
        _probe_table(groups, axis, results),
        _table("Layout of generated targets", groups, axis, layout_measures(results)),
    ]
    flags = tuple(map(_flag, groups))
    tables = [
        replace(table, flags=flags, notes=(*_flag_notes(flags), *table.notes))
        for table in tables
        if len(table.columns) > 3
    ]
    if all(group.x is None for group in groups):
        return [_without_axis(table) for table in tables]
    return tables


_FLAGS = {
    "†": "in fewer runs than all, answers lifted off",
    "‡": "in fewer runs than all, validation accuracy reached a plateau",
}


def _flag(group: Group) -> str:
    counts = zip(_FLAGS, (group.lifted_off, group.plateaus), strict=True)
    return "".join(flag for flag, count in counts if count is not None and count[0] < count[1])


def _flag_notes(flags: Sequence[str]) -> tuple[str, ...]:
    used = [f"{flag} {text}" for flag, text in _FLAGS.items() if flag in "".join(flags)]
    return (f"{'; '.join(used)} (see the table of training).",) if used else ()


def _without_axis(table: Table) -> Table:
    def shorter(row: tuple[Cell, ...]) -> tuple[Cell, ...]:
        return (row[0], *row[2:])

    columns = (table.columns[0], *table.columns[2:])
    return replace(
        table, columns=columns, rows=tuple(map(shorter, table.rows)),
        footers=tuple(map(shorter, table.footers)),
    )  # fmt: skip


def _table(
    title: str, groups: Sequence[Group], axis: str, measures: Mapping[str, Measure]
) -> Table:
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


def _generation_table(
    groups: Sequence[Group],
    axis: str,
    results: Sequence[RunResult],
    output: tuple[str, GenerationBounds | None],
) -> Table:
    """The table of one output, with what it can reach at best, and without reading the caption."""
    name, bounds = output
    tasks = generation_measures(results, name)
    named = {**tasks, **shuffled_measures(name)}
    measures = {f"{name}: {task}": measure for task, measure in named.items()}
    table = replace(
        _table(f"Captions drawn right: {name}", groups, axis, measures), notes=(_SHUFFLED_NOTE,)
    )
    if bounds is None:
        return table
    footers = [
        _footer(text, {task: estimate.value for task, estimate in of_output.items()}, list(named))
        for text, by_output in (
            ("ceiling: the true drawings", bounds.ceiling),
            ("floor: drawings of other captions", bounds.floor),
        )
        if (of_output := by_output.get(name, {}))
    ]
    return replace(
        table, footers=tuple(footers), notes=(_SHUFFLED_NOTE, *_reading_notes(name, bounds))
    )


def _reading_notes(output: str, bounds: GenerationBounds) -> tuple[str, ...]:
    """How well drawings are read, where a model reads them."""
    if output != _PICTURE:
        return ()
    text = f"Pictures are read by a segmenter with a mean IoU of {bounds.mean_iou:.3f} on"
    problem = "" if bounds.picture_problem is None else f" {bounds.picture_problem}"
    return (f"{text} validation; {bounds.gate:g} is needed.{problem}",)


def _attention_table(groups: Sequence[Group], axis: str, results: Sequence[RunResult]) -> Table:
    measures = attention_measures(results)
    named = {f"attention, {name}": measure for name, measure in measures.items()}
    table = _table("Share of the answer's attention that goes to the picture", groups, axis, named)
    levels = even_attention(results)
    return replace(table, footers=(_footer("even attention", levels, list(measures)),))


def _footer(name: str, levels: Mapping[str, float], columns: Sequence[str]) -> tuple[Cell, ...]:
    cells = (f"{levels[column]:.3f}" if column in levels else "" for column in columns)
    return (name, "", "", *cells)


def _row_head(group: Group) -> tuple[Cell, ...]:
    return group.arm, axis_text(group.x), str(len(group.runs))


def _training_table(groups: Sequence[Group], axis: str) -> Table:
    """Plateau and lift-off apart: an arm may rise early to a low plateau, or late to a high one."""
    texts: dict[str, Callable[[Group], str]] = {
        "plateau reached (of seeds)": lambda group: _of(group.plateaus),
        "lifted off (of seeds)": lambda group: _of(group.lifted_off),
    }
    measures: dict[str, Measure] = {
        "plateau": lambda run: None if run.plateau is None else run.plateau.accuracy,
        "step of lift-off": lambda run: run.lift_off,
        "training accuracy": lambda run: run.training_accuracy,
        "questions seen": lambda run: run.samples.questions,
        "drawings seen": lambda run: run.samples.drawings,
        "distinct pictures": lambda run: run.samples.pictures,
        "seconds": lambda run: run.seconds,
    }
    order = ["plateau", *texts, *list(measures)[1:]]
    rows = []
    for group in groups:
        by_name: dict[str, Cell] = {name: text(group) for name, text in texts.items()}
        by_name |= {name: group.over_seeds(measure) for name, measure in measures.items()}
        rows.append((*_row_head(group), *(by_name[name] for name in order)))
    return Table("Training", ("arm", axis, SEEDS_COLUMN, *order), tuple(rows))


def _of(counts: tuple[int, int] | None) -> str:
    return "" if counts is None else f"{counts[0]} of {counts[1]}"
