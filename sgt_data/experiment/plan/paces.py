"""The pace of each arm: pure, from trials with one seed to the best of a small grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from sgt_data.experiment.plan.arms import Arm
from sgt_data.experiment.plan.experiment_plan import Pace, Plan

_FIELDS = frozenset({"matrix_rate", "rate"})


@dataclass(frozen=True, slots=True)
class PaceTrial:
    """What a pace came to, with the tuning seed.

    Attributes:
        pace: the learning rates.
        accuracy: mean accuracy on validation over the last quarter of training, 0 to 1; None where
            it is no number.
        reached: whether accuracy had reached its plateau; None where the curve is too short.
    """

    pace: Pace
    accuracy: float | None
    reached: bool | None


@dataclass(frozen=True, slots=True)
class ChosenPace:
    """The pace of a family of arms.

    Attributes:
        family: label of the arm that was tried.
        trials: one of each pace of the plan.
    """

    family: str
    trials: tuple[PaceTrial, ...]

    @property
    def best(self) -> PaceTrial:
        """The trial with the highest accuracy, the first of several."""
        return max(
            self.trials, key=lambda trial: -1.0 if trial.accuracy is None else trial.accuracy
        )

    def __str__(self) -> str:
        best = self.best
        tried = ", ".join(f"{_rates(trial.pace)} {_text(trial.accuracy)}" for trial in self.trials)
        still = "" if best.reached is not False else "; accuracy still rose at its end"
        return f"pace of {self.family}: {_rates(best.pace)}, of {tried} on validation{still}"


def is_tuned(arm: Arm, plan: Plan) -> bool:
    """Whether the pace of an arm is chosen from the plan's; its own settings go before."""
    return bool(plan.paces) and arm.trained and not _FIELDS & set(plan.settings.get(arm.name, {}))


def families(arms: Sequence[Arm], plan: Plan) -> list[Arm]:
    """The arms that are tried with every pace: one of each family."""
    return [arm for arm in arms if arm.label == arm.family and is_tuned(arm, plan)]


def trial_arms(arm: Arm, plan: Plan) -> list[Arm]:
    """An arm with each pace of the plan and the tuning seed."""
    return [replace(_with_pace(arm, pace), seeds=(plan.tuning_seed,)) for pace in plan.paces]


def with_paces(arms: Sequence[Arm], plan: Plan, chosen: Sequence[ChosenPace]) -> list[Arm]:
    """The arms with the paces of their families."""
    paces = {each.family: each.best.pace for each in chosen}
    return [
        _with_pace(arm, paces[arm.family]) if arm.family in paces and is_tuned(arm, plan) else arm
        for arm in arms
    ]


def _with_pace(arm: Arm, pace: Pace) -> Arm:
    return replace(arm, config=replace(arm.config, **asdict(pace)))


def _rates(pace: Pace) -> str:
    return f"{pace.matrix_rate:g}/{pace.rate:g}"


def _text(accuracy: float | None) -> str:
    return "no number" if accuracy is None else f"{accuracy:.3f}"
