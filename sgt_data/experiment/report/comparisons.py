"""What an experiment compares: pure, from its results to pairs of arms, and to sentences."""

from __future__ import annotations

from collections.abc import Sequence

from sgt_data.experiment.arms import CONTROLS, QUESTIONS_ALONE, Kind
from sgt_data.experiment.measure.results import RunResult
from sgt_data.experiment.report.page import difference_sentence
from sgt_data.experiment.report.series import (
    Group,
    Place,
    against,
    groups_of,
)


def baseline_of(kind: Kind, results: Sequence[RunResult]) -> tuple[str, Place] | None:
    """The arm that all others are compared with; None where it has no result."""
    wanted = (QUESTIONS_ALONE, 0.0 if kind == "scale" else None)
    return wanted if any((one.arm, one.x) == wanted for one in results) else None


def findings_of(kind: Kind, results: Sequence[RunResult]) -> list[str]:
    """The main comparisons, a sentence each.

    `scale`: the most pictures against none, against the fewest, and against each control. The
    others: every arm against questions alone.
    """
    groups = groups_of(results)
    baseline = baseline_of(kind, results)
    base = next((one for one in groups if (one.arm, one.x) == baseline), None)
    pairs: list[tuple[Group, Group]] = []
    if kind == "scale":
        drawn = [one for one in groups if one.x and one.arm not in CONTROLS]
        if drawn:
            controls = [one for one in groups if one.arm in CONTROLS and is_compared(one)]
            others = [base, drawn[0], *controls]
            pairs = [(drawn[-1], one) for one in others if one and one is not drawn[-1]]
    elif base is not None:
        pairs = [(one, base) for one in groups if one is not base and is_compared(one)]
    found = []
    for ours, theirs in pairs:
        difference = against(ours, theirs)
        if difference is not None:
            found.append(difference_sentence(ours.label, theirs.label, difference))
    return found


def is_compared(group: Group) -> bool:
    """False for a model that was not trained."""
    return any(run.curve for run in group.runs)
