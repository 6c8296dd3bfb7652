"""Runs brought together: the seeds of one arm at one place of the axis, and curves of these."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sgt_data.errors import CorpusError
from sgt_data.experiment.measure.accuracy import PairedDifference, paired_difference
from sgt_data.experiment.measure.intervals import SeedMean, over_seeds
from sgt_data.experiment.measure.results import RunResult

Place = float | str | None
Measure = Callable[[RunResult], float | None]


@dataclass(frozen=True, slots=True)
class Group:
    """Runs that differ by their seed alone, in order of seeds."""

    arm: str
    x: Place
    runs: tuple[RunResult, ...]

    @property
    def label(self) -> str:
        return self.arm if self.x is None else f"{self.arm}, {place_text(self.x)}"

    def over_seeds(self, measure: Measure) -> SeedMean | None:
        """A measure's mean over the runs that have it; None where none has."""
        values = [value for value in map(measure, self.runs) if value is not None]
        return over_seeds(values) if values else None


def groups_of(results: Sequence[RunResult]) -> list[Group]:
    """Arms in order of appearance; within an arm by x, numbers rising, labels as they appear.

    Raises:
        CorpusError: there are none; a run is there twice; runs were measured on different splits
            or asked different questions.
    """
    if not results:
        raise CorpusError("there are no results of runs")
    splits = {one.split for one in results}
    if len(splits) > 1:
        raise CorpusError("some runs were measured on the validation split, some on the test split")
    asked = {tuple((task, one.accuracy[task].count) for task in sorted(one.accuracy))
             for one in results}  # fmt: skip
    if len(asked) > 1:
        raise CorpusError("the runs were not asked the same numbers of questions per task")
    gathered: dict[tuple[str, Place], dict[int, RunResult]] = {}
    for one in results:
        runs = gathered.setdefault((one.arm, one.x), {})
        if one.seed in runs:
            raise CorpusError(f"run {one.arm!r:.80} at {one.x} with seed {one.seed} is there twice")
        runs[one.seed] = one
    groups = [
        Group(arm, x, tuple(runs[seed] for seed in sorted(runs)))
        for (arm, x), runs in gathered.items()
    ]
    arms = list(dict.fromkeys(group.arm for group in groups))
    return sorted(groups, key=lambda group: (arms.index(group.arm), _number(group.x)))


def against(group: Group, baseline: Group, seed: int = 0) -> PairedDifference | None:
    """Difference in mean accuracy to a baseline, over the seeds that both have; None if they share
    none."""
    ours, theirs = ({run.seed: run.marks for run in one.runs} for one in (group, baseline))
    both = sorted(set(ours) & set(theirs))
    if not both:
        return None
    return paired_difference([ours[one] for one in both], [theirs[one] for one in both], seed)


def accuracy_measures(results: Sequence[RunResult]) -> dict[str, Measure]:
    """Every task's accuracy, by the task's name."""
    return {task: _task(task) for task in _names(one.accuracy for one in results)}


def probe_measures(results: Sequence[RunResult]) -> dict[str, Measure]:
    """Every probe's accuracy, by the probe's name."""
    return {name: _probe(name) for name in _names(one.probes for one in results)}


def layout_measures(results: Sequence[RunResult]) -> dict[str, Measure]:
    """Every measure of generated targets, as `proxy: measure`."""
    pairs = dict.fromkeys(
        (proxy, name) for one in results for proxy in one.layout for name in one.layout[proxy]
    )
    return {f"{proxy}: {name}": _layout(proxy, name) for proxy, name in pairs}


def mean_accuracy_of(result: RunResult) -> float:
    return result.mean.value


def chances(results: Sequence[RunResult]) -> dict[str, float]:
    """What guessing scores: of every task, of every probe (the mean over runs), and of the mean
    over tasks under `mean`."""
    found = {task: one.chance for task, one in results[0].accuracy.items()}
    for name in _names(one.probes for one in results):
        levels = [one.probes[name].chance for one in results if name in one.probes]
        found[f"probe {name}"] = sum(levels) / len(levels)
    return {**found, "mean": results[0].chance}


def place_text(x: Place) -> str:
    """As it is shown: thousands apart, no needless decimals."""
    if x is None:
        return ""
    return x if isinstance(x, str) else f"{x:,.10g}"


def _number(x: Place) -> float:
    return x if isinstance(x, int | float) else 0.0


def _names(mappings: Iterable[Mapping[str, object]]) -> list[str]:
    return list(dict.fromkeys(name for one in mappings for name in one))


def _task(name: str) -> Measure:
    return lambda run: run.accuracy[name].value if name in run.accuracy else None


def _probe(name: str) -> Measure:
    return lambda run: run.probes[name].accuracy.value if name in run.probes else None


def _layout(proxy: str, name: str) -> Measure:
    def value(run: RunResult) -> float | None:
        found = run.layout.get(proxy, {}).get(name)
        return None if found is None else found.value

    return value
