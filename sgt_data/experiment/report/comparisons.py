"""The comparisons of an experiment: which arms are compared, on what, and why these.

Pure, from results to weighted sums of arms. The primary contrast is the plan's. All others form one
family, over which p-values are adjusted:

- each rung of a ladder less the one below it, the slope of each ladder, and the most pictures less
  each control (`scale`);
- each arm less the baseline, and the primary contrast's arm less each other arm (`proxies`): pairs
  of other arms are not tested, for the question is what that arm adds to them, and all pairs of
  nine arms would be 36 tests that take power from each other;
- each arm less the baseline, and each value on the axis less the one before it (`ratio`);
- the primary contrast's arms on other quantities: captions drawn right (less what captions of other
  pictures get), attention, further sets of questions. Negative controls are no part of it: sameness
  is judged by a margin, not by a p-value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log2

from sgt_data.experiment.measure.contrast import Contrast, accuracy_contrast, seed_contrast
from sgt_data.experiment.plan.arms import CONTROLS, EQUAL_EPOCHS, QUESTIONS_ALONE
from sgt_data.experiment.plan.experiment_plan import ExperimentKind
from sgt_data.experiment.plan.primary_contrast import PrimaryContrast
from sgt_data.experiment.report.groups import (
    Group,
    generation_outputs,
    named_group,
    other_set_measures,
)
from sgt_data.experiment.report.quantities import (
    ANSWERS,
    ATTENTION,
    NEGATIVE_CONTROLS,
    SLOPE,
    Quantity,
    generation_of_captions,
    other_set,
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A weighted sum of groups on one quantity, such as one group less another.

    Attributes:
        name: what is compared, `entity less questions alone`.
        quantity: the number that is compared.
        groups: runs of each arm.
        weights: weight of each group.
    """

    name: str
    quantity: Quantity
    groups: tuple[Group, ...]
    weights: tuple[float, ...]

    @property
    def common_seeds(self) -> list[int]:
        """Seeds with which every group has a run that has the quantity."""
        by_group = [
            {run.seed for run in group.runs if self.quantity.is_known(run)} for group in self.groups
        ]
        return sorted(set.intersection(*by_group))

    def contrast(self) -> Contrast | None:
        """The sum with its interval and p-value; None where the groups share no seed."""
        seeds = self.common_seeds
        if not seeds:
            return None
        by_seed = [{run.seed: run for run in group.runs} for group in self.groups]
        runs = [[runs[seed] for seed in seeds] for runs in by_seed]
        if (marks_of := self.quantity.marks) is not None:
            return accuracy_contrast(
                [[marks_of(run) or {} for run in of_group] for of_group in runs], self.weights
            )
        measure = self.quantity.measure
        assert measure is not None
        values = [[measure(run) or 0.0 for run in of_group] for of_group in runs]
        return seed_contrast([
            sum(weight * value for weight, value in zip(self.weights, of_seed, strict=True))
            for of_seed in zip(*values, strict=True)
        ])  # fmt: skip


def less(first: Group, second: Group, quantity: Quantity = ANSWERS) -> Comparison:
    """One group less another."""
    return Comparison(f"{first.label} less {second.label}", quantity, (first, second), (1.0, -1.0))


def primary_groups(
    primary: PrimaryContrast | None, groups: Sequence[Group]
) -> tuple[Group, Group] | None:
    """Arm and baseline of the primary contrast; None without one, or where one has no result."""
    if primary is None:
        return None
    arm, baseline = named_group(groups, primary.arm), named_group(groups, primary.baseline)
    return None if arm is None or baseline is None else (arm, baseline)


def family_of(
    kind: ExperimentKind, groups: Sequence[Group], pair: tuple[Group, Group] | None
) -> list[Comparison]:
    """All comparisons but the primary one, each once.

    Args:
        kind: what differs between the arms.
        groups: all groups.
        pair: those of the primary contrast; None for none.
    """
    baseline = pair[1] if pair else named_group(groups, QUESTIONS_ALONE)
    if kind == "scale":
        comparisons = _ladder_comparisons(groups, baseline, pair)
    else:
        others = [group for group in groups if group is not baseline]
        comparisons = [less(group, baseline) for group in others] if baseline else []
        if kind == "proxies" and pair:
            comparisons += [less(pair[0], group) for group in others if group is not pair[0]]
        elif kind == "ratio":
            comparisons += [less(above, below) for below, above in _neighbours(groups)]
    if pair:
        comparisons += [less(*pair, quantity) for quantity in _other_quantities(groups)]
    by_name = {(each.name, each.quantity.name): each for each in comparisons}
    if pair:
        by_name.pop((less(*pair).name, ANSWERS.name), None)
    return list(by_name.values())


def ladders_of(groups: Sequence[Group]) -> list[list[Group]]:
    """By arm that draws numbers of pictures above 0: its groups, fewest first.

    The top rung of a ladder of equal epochs is that of the ladder of equal steps.
    """
    by_arm: dict[str, list[Group]] = {}
    for group in groups:
        if isinstance(group.x, int | float) and group.x > 0 and group.arm not in CONTROLS:
            by_arm.setdefault(group.arm, []).append(group)
    for arm, ladder in by_arm.items():
        of_equal_steps = by_arm.get(arm.removesuffix(EQUAL_EPOCHS))
        if arm.endswith(EQUAL_EPOCHS) and of_equal_steps:
            ladder.append(of_equal_steps[-1])
    return list(by_arm.values())


def slope_of(ladder: Sequence[Group]) -> Comparison:
    """The slope of mean accuracy on log2 of the number of drawn pictures, by least squares.

    The slope of a seed is a weighted sum of its accuracies, with weights from the numbers of
    pictures alone.
    """
    places = [log2(float(group.x)) for group in ladder if isinstance(group.x, int | float)]
    mean = sum(places) / len(places)
    spread = sum((place - mean) ** 2 for place in places)
    weights = tuple((place - mean) / spread for place in places)
    return Comparison(f"slope of {ladder[0].arm}", SLOPE, tuple(ladder), weights)


def _ladder_comparisons(
    groups: Sequence[Group], baseline: Group | None, pair: tuple[Group, Group] | None
) -> list[Comparison]:
    comparisons = []
    ladders = ladders_of(groups)
    for ladder in ladders:
        rungs = ladder if baseline is None else [baseline, *ladder]
        comparisons += [less(above, below) for below, above in pairwise(rungs)]
    comparisons += [slope_of(ladder) for ladder in ladders if len(ladder) > 1]
    if ladders:
        on_ladders = {group.label for ladder in ladders for group in ladder}
        controls = [group for group in groups if group.label not in on_ladders]
        most = pair[0] if pair else ladders[0][-1]
        comparisons += [less(most, group) for group in controls if group is not most]
    return comparisons


def _neighbours(groups: Sequence[Group]) -> list[tuple[Group, Group]]:
    """Groups of one arm at neighbouring values of the axis."""
    return [(below, above) for below, above in pairwise(groups) if below.arm == above.arm]


def _other_quantities(groups: Sequence[Group]) -> list[Quantity]:
    results = [run for group in groups for run in group.runs]
    sets = [name for name in other_set_measures(results) if name not in NEGATIVE_CONTROLS]
    attention = [ATTENTION] if any(result.attention for result in results) else []
    return [
        *(generation_of_captions(output) for output in generation_outputs(results)), *attention,
        *map(other_set, sets),
    ]  # fmt: skip
