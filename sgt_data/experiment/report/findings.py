"""The comparisons of an experiment with their estimates and p-values, adjusted by Holm's method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sgt_data.experiment.measure.contrast import Contrast
from sgt_data.experiment.measure.holm import holm_adjusted
from sgt_data.experiment.measure.run_result import RunResult
from sgt_data.experiment.plan.experiment_plan import ExperimentKind
from sgt_data.experiment.plan.primary_contrast import PrimaryContrast
from sgt_data.experiment.report.comparisons import Comparison, family_of, less, primary_groups
from sgt_data.experiment.report.groups import Group, groups_of, other_set_measures
from sgt_data.experiment.report.quantities import NEGATIVE_CONTROLS, other_set


@dataclass(frozen=True, slots=True)
class Finding:
    """A comparison with its estimate.

    Attributes:
        comparison: what is compared.
        contrast: estimate, interval and p-value; None where the arms share no seed.
        adjusted: p-value adjusted for the family; None for the primary contrast, for a negative
            control, and where there is no p-value.
    """

    comparison: Comparison
    contrast: Contrast | None
    adjusted: float | None = None

    @property
    def deciding_p(self) -> float | None:
        """The p-value by which a difference counts as shown: the adjusted one, if there is one."""
        p = None if self.contrast is None else self.contrast.p
        return p if self.adjusted is None else self.adjusted


@dataclass(frozen=True, slots=True)
class Findings:
    """All comparisons of an experiment.

    Attributes:
        groups: all groups.
        pair: arm and baseline of the primary contrast; None without one, or without their results.
        primary: the primary contrast; None where `pair` is.
        family: all others; adjusted p-values are over those of them that have a p-value.
        negative_controls: the primary contrast's arms on sets of questions that need no picture.
    """

    groups: Sequence[Group]
    pair: tuple[Group, Group] | None
    primary: Finding | None
    family: Sequence[Finding]
    negative_controls: Sequence[Finding]

    @property
    def tests(self) -> int:
        """Number of tests over which p-values are adjusted."""
        return sum(each.adjusted is not None for each in self.family)


def findings_of(
    kind: ExperimentKind, results: Sequence[RunResult], primary: PrimaryContrast | None
) -> Findings:
    """Estimate and test all comparisons of an experiment.

    Raises:
        CorpusError: the runs do not belong together.
    """
    groups = groups_of(results)
    pair = primary_groups(primary, groups)
    family = [
        Finding(comparison, comparison.contrast()) for comparison in family_of(kind, groups, pair)
    ]
    sets = [name for name in other_set_measures(results) if name in NEGATIVE_CONTROLS]
    controls = [less(*pair, other_set(name)) for name in sets] if pair else []
    return Findings(
        groups=groups,
        pair=pair,
        primary=_not_adjusted(less(*pair)) if pair else None,
        family=_adjusted(family),
        negative_controls=[_not_adjusted(comparison) for comparison in controls],
    )


def _not_adjusted(comparison: Comparison) -> Finding:
    return Finding(comparison, comparison.contrast())


def _adjusted(family: Sequence[Finding]) -> list[Finding]:
    p_values = {
        place: each.contrast.p
        for place, each in enumerate(family)
        if each.contrast is not None and each.contrast.p is not None
    }
    adjusted = dict(zip(p_values, holm_adjusted(list(p_values.values())), strict=True))
    return [
        Finding(each.comparison, each.contrast, adjusted.get(place))
        for place, each in enumerate(family)
    ]
