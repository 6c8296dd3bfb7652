"""Results grouped by arm and value on the axis, and the numbers that tables and plots show."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sgt_data.errors import CorpusError
from sgt_data.experiment.measure.accuracy import PairedDifference, paired_difference
from sgt_data.experiment.measure.run_result import RunResult
from sgt_data.experiment.measure.seed_means import SeedMean, mean_over_seeds
from sgt_data.experiment.plan.varied_axis import AxisValue, axis_text
from sgt_data.value_text import cut

Measure = Callable[[RunResult], float | None]
"""A function from a run's result to one number, or to None where the run has no such number."""


@dataclass(frozen=True, slots=True)
class Group:
    """The runs of one arm at one value of the axis, which differ by their seed alone.

    Attributes:
        arm: name of the arm.
        x: value on the axis; None off the axis.
        runs: results in order of seeds.
    """

    arm: str
    x: AxisValue
    runs: tuple[RunResult, ...]

    @property
    def label(self) -> str:
        """The arm's name and its value on the axis."""
        return self.arm if self.x is None else f"{self.arm}, {axis_text(self.x)}"

    def over_seeds(self, measure: Measure) -> SeedMean | None:
        """Mean of a measure over the runs that have it; None where no run has."""
        values = [value for value in map(measure, self.runs) if value is not None]
        return mean_over_seeds(values) if values else None


def groups_of(results: Sequence[RunResult]) -> list[Group]:
    """Group results by arm, in order of appearance, and within an arm by rising axis value.

    Raises:
        CorpusError: there are no results; a run appears twice; or runs were measured on different
            splits or asked different numbers of questions.
    """
    if not results:
        raise CorpusError("there are no results of runs")
    splits = {result.split for result in results}
    if len(splits) > 1:
        raise CorpusError("some runs were measured on the validation split, some on the test split")
    question_counts = {
        tuple((task, result.accuracy[task].count) for task in sorted(result.accuracy))
        for result in results
    }
    if len(question_counts) > 1:
        raise CorpusError("the runs were not asked the same numbers of questions per task")
    by_seed: dict[tuple[str, AxisValue], dict[int, RunResult]] = {}
    for result in results:
        runs = by_seed.setdefault((result.arm, result.x), {})
        if result.seed in runs:
            raise CorpusError(
                f"run {cut(result.arm)} at {result.x} with seed {result.seed} is there twice"
            )
        runs[result.seed] = result
    groups = [
        Group(arm, x, tuple(runs[seed] for seed in sorted(runs)))
        for (arm, x), runs in by_seed.items()
    ]
    arms = list(dict.fromkeys(group.arm for group in groups))
    return sorted(groups, key=lambda group: (arms.index(group.arm), _sort_value(group.x)))


def accuracy_difference(group: Group, baseline: Group, seed: int = 0) -> PairedDifference | None:
    """Mean accuracy of a group minus a baseline's, over the seeds that both have.

    Returns:
        The difference; None where they share no seed.
    """
    marks, baseline_marks = (
        {run.seed: run.marks for run in either.runs} for either in (group, baseline)
    )
    seeds = sorted(set(marks) & set(baseline_marks))
    if not seeds:
        return None
    return paired_difference(
        [marks[shared] for shared in seeds], [baseline_marks[shared] for shared in seeds], seed
    )


def accuracy_measures(results: Sequence[RunResult]) -> dict[str, Measure]:
    """The accuracy of each task, by the task's name."""
    return {task: _task(task) for task in _names(result.accuracy for result in results)}


def probe_measures(results: Sequence[RunResult]) -> dict[str, Measure]:
    """The accuracy of each probe, by the probe's name."""
    return {name: _probe(name) for name in _names(result.probes for result in results)}


def layout_measures(results: Sequence[RunResult]) -> dict[str, Measure]:
    """The measures of generated targets, by `proxy: measure`."""
    names = dict.fromkeys(
        (proxy, name)
        for result in results
        for proxy, measures in result.layout.items()
        for name in measures
    )
    return {f"{proxy}: {name}": _layout(proxy, name) for proxy, name in names}


def mean_accuracy_of(result: RunResult) -> float:
    """Mean of the tasks' accuracies of a run, 0 to 1."""
    return result.mean.value


def chance_levels(results: Sequence[RunResult]) -> dict[str, float]:
    """Accuracy of guessing by task, by `probe NAME`, and under `mean` its mean over tasks."""
    levels = {task: accuracy.chance for task, accuracy in results[0].accuracy.items()}
    for name in _names(result.probes for result in results):
        chances = [result.probes[name].chance for result in results if name in result.probes]
        levels[f"probe {name}"] = sum(chances) / len(chances)
    return {**levels, "mean": results[0].chance}


def _sort_value(x: AxisValue) -> float:
    return x if isinstance(x, int | float) else 0.0


def _names(mappings: Iterable[Mapping[str, object]]) -> list[str]:
    return list(dict.fromkeys(name for mapping in mappings for name in mapping))


def _task(name: str) -> Measure:
    return lambda run: run.accuracy[name].value if name in run.accuracy else None


def _probe(name: str) -> Measure:
    return lambda run: run.probes[name].accuracy.value if name in run.probes else None


def _layout(proxy: str, name: str) -> Measure:
    def value(run: RunResult) -> float | None:
        estimate = run.layout.get(proxy, {}).get(name)
        return None if estimate is None else estimate.value

    return value
