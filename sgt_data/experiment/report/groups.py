"""Results grouped by arm and value on the axis, and the numbers that tables and plots show."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sgt_data.errors import CorpusError
from sgt_data.experiment.measure.run_result import RunResult
from sgt_data.experiment.measure.seed_means import SeedMean, mean_over_seeds
from sgt_data.experiment.measure.shuffled_captions import SHUFFLED
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

    @property
    def lifted_off(self) -> tuple[int, int] | None:
        """Number of runs that lifted off, and of those that could; None without such runs."""
        of_curve = [run.lift_off is not None for run in self.runs if run.validation_curve]
        return (sum(of_curve), len(of_curve)) if of_curve else None

    @property
    def plateaus(self) -> tuple[int, int] | None:
        """Number of runs that reached a plateau, and of those that could; None without such."""
        reached = [run.plateau.reached for run in self.runs if run.plateau is not None]
        return (sum(reached), len(reached)) if reached else None

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


def named_group(groups: Sequence[Group], name: str) -> Group | None:
    """The group with a name: of an arm with several axis values, the arm's name means the last."""
    by_name = {group.arm: group for group in groups} | {group.label: group for group in groups}
    return by_name.get(name)


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


def other_set_measures(results: Sequence[RunResult]) -> dict[str, Measure]:
    """The mean accuracy on each further set of questions, by the set's name."""
    return {name: _other_set(name) for name in _names(result.others for result in results)}


def generation_measures(results: Sequence[RunResult], output: str) -> dict[str, Measure]:
    """The share of captions that are drawn right, by task, of one kind of output."""
    tasks = _names(result.generation.get(output, {}) for result in results)
    return {task: generation_measure(output, task) for task in tasks}


def generation_outputs(results: Sequence[RunResult]) -> list[str]:
    """What is drawn of captions, such as `class map` and `picture`."""
    outputs = _names(result.generation for result in results)
    return [output for output in outputs if not output.endswith(SHUFFLED)]


def shuffled_measures(output: str) -> dict[str, Measure]:
    """The mean of tasks for captions of other pictures, and how much the own captions exceed it."""
    return {
        "mean, captions shuffled": generation_measure(output + SHUFFLED, "mean"),
        "mean, own less shuffled": less_shuffled(output),
    }


def less_shuffled(output: str) -> Measure:
    """How much the mean of tasks exceeds that for captions of other pictures.

    A run that draws more things draws more captions right, its own and others': the difference
    alone tells what the caption changes.
    """
    own = generation_measure(output, "mean")
    others = generation_measure(output + SHUFFLED, "mean")

    def difference(run: RunResult) -> float | None:
        values = own(run), others(run)
        return None if values[0] is None or values[1] is None else values[0] - values[1]

    return difference


def attention_measures(results: Sequence[RunResult]) -> dict[str, Measure]:
    """The answer's attention to the picture, by layer, and under `mean` the mean of the layers."""
    layers = max(len(result.attention) for result in results)
    by_layer = {f"layer {layer + 1}": _attention(layer) for layer in range(layers)}
    return {**by_layer, "mean": mean_attention} if layers else {}


def even_attention(results: Sequence[RunResult]) -> dict[str, float]:
    """What even attention over all tokens would give, by layer and under `mean`."""
    layers = max((result.attention for result in results), key=len)
    by_layer = {f"layer {number}": layer.uniform for number, layer in enumerate(layers, 1)}
    mean = sum(by_layer.values()) / len(layers) if layers else 0.0
    return {**by_layer, "mean": mean}


def mean_attention(result: RunResult) -> float | None:
    """Mean over layers of the answer's attention to the picture, 0 to 1."""
    shares = [layer.share.value for layer in result.attention]
    return sum(shares) / len(shares) if shares else None


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


def _other_set(name: str) -> Measure:
    return lambda run: run.others[name].mean.value if name in run.others else None


def _attention(layer: int) -> Measure:
    return lambda run: run.attention[layer].share.value if layer < len(run.attention) else None


def generation_measure(output: str, task: str) -> Measure:
    """The share of captions of a task that are drawn right, of one kind of output."""

    def value(run: RunResult) -> float | None:
        estimate = run.generation.get(output, {}).get(task)
        return None if estimate is None else estimate.value

    return value


def _layout(proxy: str, name: str) -> Measure:
    def value(run: RunResult) -> float | None:
        estimate = run.layout.get(proxy, {}).get(name)
        return None if estimate is None else estimate.value

    return value
