"""The main comparisons of an experiment: pure, from results to arms that are compared, in words."""

from __future__ import annotations

from collections.abc import Sequence

from sgt_data.experiment.measure.accuracy import PairedDifference
from sgt_data.experiment.measure.run_result import RunResult
from sgt_data.experiment.plan.arms import CONTROLS, QUESTIONS_ALONE
from sgt_data.experiment.plan.experiment_plan import ExperimentKind
from sgt_data.experiment.plan.varied_axis import AxisValue
from sgt_data.experiment.report.groups import Group, accuracy_difference, groups_of
from sgt_data.value_text import counted


def baseline_of(kind: ExperimentKind, results: Sequence[RunResult]) -> tuple[str, AxisValue] | None:
    """Arm and axis value that all others are compared with; None where it has no result."""
    baseline = (QUESTIONS_ALONE, 0.0 if kind == "scale" else None)
    return baseline if any((result.arm, result.x) == baseline for result in results) else None


def comparison_sentences(kind: ExperimentKind, results: Sequence[RunResult]) -> list[str]:
    """The main comparisons of an experiment, one sentence each.

    `scale` compares the most pictures with none, with the fewest, and with each control; the other
    experiments compare every arm with questions alone.
    """
    sentences = []
    for group, baseline in _compared_groups(kind, results):
        difference = accuracy_difference(group, baseline)
        if difference is not None:
            sentences.append(difference_sentence(group.label, baseline.label, difference))
    return sentences


def difference_sentence(label: str, baseline: str, difference: PairedDifference) -> str:
    """A difference in mean accuracy in words that claim no more than it shows."""
    seeds = counted(difference.seeds, "seed")
    over = f"over {seeds} and {counted(difference.pictures, 'picture')}"
    text = f"{label} less {baseline}: {difference.value:+.3f} in mean accuracy"
    if difference.low is None or difference.high is None:
        return f"{text}, {over}; too few for an interval."
    interval = f"95 % interval {difference.low:+.3f} to {difference.high:+.3f}, {over}"
    if difference.low <= 0 <= difference.high:
        return f"{text} ({interval}): no difference is shown."
    return f"{text} ({interval})."


def _compared_groups(
    kind: ExperimentKind, results: Sequence[RunResult]
) -> list[tuple[Group, Group]]:
    """Pairs of a group and the group that it is compared with."""
    groups = groups_of(results)
    baseline_name = baseline_of(kind, results)
    baseline = next((group for group in groups if (group.arm, group.x) == baseline_name), None)
    if kind == "scale":
        drawing = [group for group in groups if group.x and group.arm not in CONTROLS]
        if not drawing:
            return []
        controls = [group for group in groups if group.arm in CONTROLS and _is_trained(group)]
        most = drawing[-1]
        others = [baseline, drawing[0], *controls]
        return [(most, other) for other in others if other and other is not most]
    if baseline is None:
        return []
    return [(group, baseline) for group in groups if group is not baseline and _is_trained(group)]


def _is_trained(group: Group) -> bool:
    return any(run.curve for run in group.runs)
