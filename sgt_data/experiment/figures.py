"""The plots of an experiment, each with what it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sgt_data.experiment.arms import Kind
from sgt_data.experiment.page import Shown
from sgt_data.experiment.plots import bars, curve, panels
from sgt_data.experiment.plots_of_runs import attention, learning
from sgt_data.experiment.results import RunResult
from sgt_data.experiment.series import (
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

_MEAN = "mean of tasks"
_SHARES = ("mIoU", "PQ", "IoU", "edge F")
"""Measures of generated targets that are shares: 0 to 1, more is better."""


def figures_of(kind: Kind, results: Sequence[RunResult]) -> list[Shown]:
    """Plots in the order in which a page shows them; those without anything to show are left
    out."""
    levels = chances(results)
    answers: Mapping[str, Measure] = {_MEAN: mean_accuracy_of, **accuracy_measures(results)}
    probes = probe_measures(results)
    by_probe = {name: levels[f"probe {name}"] for name in probes}
    by_task = {**levels, _MEAN: levels["mean"]}
    axis = AXES[kind]
    found = []
    if kind == "proxies":
        found.append(
            _shown("accuracy", _ACCURACY_BARS, bars(results, answers, "Accuracy", by_task))
        )
        if probes:
            plot = bars(results, probes, "Linear probes on frozen features", by_probe)
            found.append(_shown("probes", _PROBES, plot))
    else:
        plot = curve(results, mean_accuracy_of, "Accuracy, mean of tasks", axis, levels["mean"])
        found.append(_shown("accuracy", _ACCURACY, plot))
        tasks = accuracy_measures(results)
        if len(tasks) > 1:
            plot = panels(results, tasks, "Accuracy by task", axis, levels)
            found.append(_shown("tasks", _TASKS, plot))
        if probes:
            plot = panels(results, probes, "Linear probes on frozen features", axis, by_probe)
            found.append(_shown("probes", _PROBES, plot))
    layout = {
        name: measure for name, measure in layout_measures(results).items()
        if name.rpartition(": ")[2] in _SHARES
    }  # fmt: skip
    drawing = [
        one for one in results if any(measure(one) is not None for measure in layout.values())
    ]
    if drawing and kind != "proxies":
        plot = panels(drawing, layout, "Layout of generated targets", axis, {})
        found.append(_shown("layout", _LAYOUT, plot))
    if any(one.attention for one in results):
        title = "Attention of the answer to visual tokens"
        found.append(_shown("attention", _ATTENTION, attention(results, title)))
    trained = [one for one in results if any(row[3] is not None for row in one.curve)]
    if trained:
        found.append(_shown("training", _TRAINING, learning(trained, "Accuracy in training")))
    return found


def _shown(name: str, caption: str, plot: object) -> Shown:
    return Shown(name, caption, plot)  # type: ignore[arg-type]


_ACCURACY = (
    "Share of questions answered right, every task counting the same. Arms that have no place on "
    "the axis are horizontal bands. Dashed: guessing."
)
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
_ATTENTION = (
    "Share of the attention of the token that answers which goes to visual tokens, layer by layer."
)
_TRAINING = (
    "Training accuracy, smoothed, a line for each seed. Triangles: from there on it stays above "
    "guessing."
)
