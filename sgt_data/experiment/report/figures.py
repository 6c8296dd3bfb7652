"""The plots of an experiment, each with what it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from sgt_data.experiment.arms import QUESTIONS_ALONE, UNTRAINED, Kind
from sgt_data.experiment.measure.results import RunResult
from sgt_data.experiment.report.drawn_examples import Examples, examples_plot
from sgt_data.experiment.report.page import Shown
from sgt_data.experiment.report.plots import bars, curve, panels
from sgt_data.experiment.report.run_plots import attention, learning
from sgt_data.experiment.report.series import (
    Measure,
    accuracy_measures,
    chances,
    layout_measures,
    mean_accuracy_of,
    probe_measures,
)

AXES: Mapping[Kind, str] = {
    "scale": "pictures whose targets are drawn",
    "proxies": "",
    "ratio": "drawings : questions in a batch",
}
"""What x is, in plots."""

COLUMNS: Mapping[Kind, str] = {"scale": "pictures", "proxies": "", "ratio": "drawings : questions"}
"""The same in tables."""

_MEAN = "mean of tasks"
_SHARES = ("mIoU", "PQ", "IoU", "edge F")
"""Measures of generated targets that are shares: 0 to 1, more is better."""


def figures_of(
    kind: Kind,
    results: Sequence[RunResult],
    examples: Mapping[str, Mapping[str, Examples]] = MappingProxyType({}),
) -> list[Shown]:
    """Plots in the order in which a page shows them; those without anything to show are left out.

    Args:
        examples: generated targets by proxy and arm.
    """
    shown = _joined(results) if kind == "scale" else list(results)
    drawn = [Shown("drawn", _DRAWN, examples_plot(examples))] if examples else []
    return [
        *_answers(kind, shown), *_probes(kind, shown), *_layout(kind, shown), *drawn,
        *_runs(results),
    ]  # fmt: skip


def _answers(kind: Kind, results: Sequence[RunResult]) -> list[Shown]:
    """A model that was not trained gives any of all answers, and is left out."""
    results = [one for one in results if one.arm != UNTRAINED]
    if not results:
        return []
    levels, tasks = chances(results), accuracy_measures(results)
    if kind == "proxies":
        measures: Mapping[str, Measure] = {_MEAN: mean_accuracy_of, **tasks}
        plot = bars(results, measures, "Accuracy", {**levels, _MEAN: levels["mean"]})
        return [Shown("accuracy", _ACCURACY_BARS, plot)]
    plot = curve(results, mean_accuracy_of, "Accuracy, mean of tasks", AXES[kind], levels["mean"])
    found = [Shown("accuracy", _ACCURACY[kind], plot)]
    if len(tasks) > 1:
        plot = panels(results, tasks, "Accuracy by task", AXES[kind], levels)
        found.append(Shown("tasks", _TASKS, plot))
    return found


def _probes(kind: Kind, results: Sequence[RunResult]) -> list[Shown]:
    probes, levels = probe_measures(results), chances(results)
    if not probes:
        return []
    title = "Linear probes on frozen features"
    by_probe = {name: levels[f"probe {name}"] for name in probes}
    if kind == "proxies":
        return [Shown("probes", _PROBES, bars(results, probes, title, by_probe))]
    return [Shown("probes", _PROBES, panels(results, probes, title, AXES[kind], by_probe))]


def _layout(kind: Kind, results: Sequence[RunResult]) -> list[Shown]:
    """Where arms draw the same; else a table says it."""
    results = [one for one in results if one.x != 0]
    layout = {
        name: measure for name, measure in layout_measures(results).items()
        if name.rpartition(": ")[2] in _SHARES
    }  # fmt: skip
    if not layout or kind == "proxies":
        return []
    plot = panels(results, layout, "Layout of generated targets", AXES[kind], {})
    return [Shown("layout", _LAYOUT, plot)]


def _runs(results: Sequence[RunResult]) -> list[Shown]:
    found = []
    if any(one.attention for one in results):
        title = "Attention of the answer to visual tokens"
        found.append(Shown("attention", _ATTENTION, attention(results, title)))
    trained = [one for one in results if any(row[3] is not None for row in one.curve)]
    if trained:
        plot = learning(trained, "Accuracy in training")
        found.append(Shown("training", _TRAINING, plot))
    return found


def _joined(results: Sequence[RunResult]) -> list[RunResult]:
    """The same, with the arm that draws no picture as the left end of the line of those that do."""
    drawing = [one.arm for one in results if one.samples.drawings and one.x]
    return [
        replace(one, arm=drawing[0])
        if drawing and (one.arm, one.x) == (QUESTIONS_ALONE, 0)
        else one
        for one in results
    ]


_ACCURACY: Mapping[Kind, str] = {
    "scale": "Share of questions answered right, every task counting the same. At 0 pictures "
    "nothing is drawn. Controls that have no place on the axis are horizontal bands. Dashed: "
    "guessing.",
    "ratio": "Share of questions answered right, every task counting the same. The band draws "
    "nothing. Dashed: guessing.",
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
_ATTENTION = (
    "Share of the attention of the token that answers which goes to visual tokens, layer by layer."
)
_TRAINING = (
    "Training accuracy, smoothed, a line for each seed. Triangles: from there on it stays above "
    "guessing."
)
