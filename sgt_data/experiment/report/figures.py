"""The figures of an experiment: plots, each with a caption."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from sgt_data.experiment.measure.drawn_examples import DrawnExamples
from sgt_data.experiment.measure.run_result import RunResult
from sgt_data.experiment.plan.arms import EQUAL_EPOCHS, UNTRAINED
from sgt_data.experiment.plan.experiment_plan import ExperimentKind
from sgt_data.experiment.report.bar_plot import bar_plot
from sgt_data.experiment.report.comparisons import ladders_of
from sgt_data.experiment.report.examples_plot import examples_plot
from sgt_data.experiment.report.groups import (
    Measure,
    accuracy_measures,
    chance_levels,
    generation_measures,
    generation_outputs,
    groups_of,
    layout_measures,
    mean_accuracy_of,
    probe_measures,
)
from sgt_data.experiment.report.plot_style import Plot
from sgt_data.experiment.report.plots import curve_plot, panel_plot
from sgt_data.experiment.report.run_plots import attention_plot, learning_plot

AXIS_LABELS: Mapping[ExperimentKind, str] = {
    "scale": "pictures whose targets are drawn",
    "proxies": "",
    "ratio": "drawings : questions in a batch",
}
"""Label of the axis in plots."""

_MEAN = "mean of tasks"
_SHARES = ("mIoU", "PQ", "IoU", "edge F")
"""Measures of generated targets that are shares: 0 to 1, more is better."""


@dataclass(frozen=True, slots=True)
class CaptionedPlot:
    """A plot with a caption that explains its axes and marks.

    Attributes:
        name: name of the plot's files.
        caption: the explanation.
        plot: the plot.
    """

    name: str
    caption: str
    plot: Plot


def figures_of(
    kind: ExperimentKind,
    results: Sequence[RunResult],
    examples: Mapping[str, Mapping[str, DrawnExamples]] = MappingProxyType({}),
) -> list[CaptionedPlot]:
    """The figures of an experiment in the order of the page; figures without content are left out.

    Args:
        kind: what differs between the arms.
        results: results of all runs.
        examples: generated targets by proxy and arm.
    """
    joined = _with_shared_top(results) if kind == "scale" else list(results)
    drawn = [CaptionedPlot("drawn", _DRAWN, examples_plot(examples))] if examples else []
    return [
        *_accuracy_figures(kind, joined), *_probe_figures(kind, joined),
        *_layout_figures(kind, joined), *drawn, *_generation_figures(results),
        *_run_figures(results),
    ]  # fmt: skip


def _accuracy_figures(kind: ExperimentKind, results: Sequence[RunResult]) -> list[CaptionedPlot]:
    """Without the untrained model, whose answers are arbitrary."""
    results = [result for result in results if result.arm != UNTRAINED]
    if not results:
        return []
    levels, tasks = chance_levels(results), accuracy_measures(results)
    if kind == "proxies":
        measures: Mapping[str, Measure] = {_MEAN: mean_accuracy_of, **tasks}
        plot = bar_plot(results, measures, "Accuracy", {**levels, _MEAN: levels["mean"]})
        return [CaptionedPlot("accuracy", _ACCURACY_BARS, plot)]
    axis = AXIS_LABELS[kind]
    plot = curve_plot(results, mean_accuracy_of, "Accuracy, mean of tasks", axis, levels["mean"])
    figures = [CaptionedPlot("accuracy", _ACCURACY[kind], plot)]
    if len(tasks) > 1:
        plot = panel_plot(results, tasks, "Accuracy by task", axis, levels)
        figures.append(CaptionedPlot("tasks", _TASKS, plot))
    return figures


def _probe_figures(kind: ExperimentKind, results: Sequence[RunResult]) -> list[CaptionedPlot]:
    probes, levels = probe_measures(results), chance_levels(results)
    if not probes:
        return []
    title = "Linear probes on frozen features"
    by_probe = {name: levels[f"probe {name}"] for name in probes}
    if kind == "proxies":
        plot = bar_plot(results, probes, title, by_probe)
    else:
        plot = panel_plot(results, probes, title, AXIS_LABELS[kind], by_probe)
    return [CaptionedPlot("probes", _PROBES, plot)]


def _layout_figures(kind: ExperimentKind, results: Sequence[RunResult]) -> list[CaptionedPlot]:
    """A plot where all arms draw the same proxies; else the table alone shows the measures."""
    results = [result for result in results if result.x != 0]
    shares = {
        name: measure for name, measure in layout_measures(results).items()
        if name.rpartition(": ")[2] in _SHARES
    }  # fmt: skip
    if not shares or kind == "proxies":
        return []
    plot = panel_plot(results, shares, "Layout of generated targets", AXIS_LABELS[kind], {})
    return [CaptionedPlot("layout", _LAYOUT, plot)]


def _generation_figures(results: Sequence[RunResult]) -> list[CaptionedPlot]:
    measures = {
        f"{output}: {task}": measure
        for output in generation_outputs(results)
        for task, measure in generation_measures(results, output).items()
        if task == "mean"
    }
    if not measures:
        return []
    drawing = [result for result in results if result.generation]
    plot = bar_plot(drawing, measures, "Captions drawn right, mean of tasks", {})
    return [CaptionedPlot("generation", _GENERATION, plot)]


def _run_figures(results: Sequence[RunResult]) -> list[CaptionedPlot]:
    figures = []
    if any(result.attention for result in results):
        plot = attention_plot(results, "Attention of the answer to the picture")
        figures.append(CaptionedPlot("attention", _ATTENTION, plot))
    if any(result.validation_curve for result in results):
        plot = learning_plot(results, "Accuracy on validation while it was trained")
        figures.append(CaptionedPlot("training", _TRAINING, plot))
    return figures


def _with_shared_top(results: Sequence[RunResult]) -> list[RunResult]:
    """Results with the top rung, which two ladders share, in the ladder of equal epochs too."""
    tops = {
        f"{ladder[-1].arm}{EQUAL_EPOCHS}": ladder[-1].runs
        for ladder in ladders_of(groups_of(results))
    }
    arms = {result.arm for result in results}
    shared = [replace(run, arm=arm) for arm, runs in tops.items() if arm in arms for run in runs]
    return [*results, *shared]


_ACCURACY: Mapping[ExperimentKind, str] = {
    "scale": "Share of questions answered right, every task counting the same. Bars: 95 % interval "
    "over seeds. Hollow, and dotted across: rung 0, where nothing is drawn. A ladder of equal "
    "epochs draws each picture as often as the top rung does, a ladder of equal steps draws fewer "
    "pictures more often. Arms that have no place on the axis stand right of it. Dashed: guessing.",
    "ratio": "Share of questions answered right, every task counting the same. Bars: 95 % interval "
    "over seeds. What draws nothing stands right of the axis. Dashed: guessing.",
}
_ACCURACY_BARS = (
    "Share of questions answered right: the mean of all tasks, every task counting the same, and "
    "each task. The best arm is on top. Dashed: guessing."
)
_TASKS = "The same, task by task."
_PROBES = (
    "Share that a linear probe on frozen features gets right: the category of a thing, which of "
    "two categories it is, how many things a picture shows. Dashed: always the commonest class."
)
_LAYOUT = (
    "How well generated targets show the layout of pictures that the model never saw, 0 to 1; more "
    "is better."
)
_DRAWN = (
    "Targets that the first seed of each arm generates of the first pictures of the split; above a "
    "picture stands its instruction. None of these pictures was drawn in training."
)
_GENERATION = (
    "Share of captions whose drawing shows what the caption says, every task counting the same. "
    "Ceiling and floor are in the table."
)
_ATTENTION = (
    "Share of the attention of the token that answers which goes to the picture, layer by layer. "
    "Dashed: what even attention over all words and patches would give."
)
_TRAINING = (
    "Accuracy on a part of validation, a line for each seed. Triangles: lift-off, from where it "
    "stays above that with which training began."
)
