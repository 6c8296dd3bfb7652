"""The result of one run, and its JSON file, from which tables and plots are made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import orjson
from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked

from sgt_data.errors import CorpusError
from sgt_data.field_errors import first_problem
from sgt_data.foreign_errors import in_words
from sgt_data.scoring.intervals import STRICT, Estimate
from sgt_data.value_text import cut

RESULT_VERSION = 2

Split = Literal["validation", "test"]
"""A split on which trained models are measured."""

PLATEAU_RISE = 0.01
"""Rise of validation accuracy below which training has reached its plateau."""

Marks = Mapping[str, Mapping[str, tuple[int, int]]]
"""Per task and key of a picture: number of questions answered right, and of questions asked."""

CurveRow = tuple[int, float | None, float | None, float | None]
"""Step, loss of answers, loss of drawings, training accuracy (0 to 1)."""


@checked(frozen=True, slots=True, config=STRICT)
class TaskAccuracy:
    """Share of a task's questions that are answered right, with its interval over pictures.

    Attributes:
        value: the share, 0 to 1.
        low, high: ends of the 95 % interval; None where there is one picture only.
        count: number of questions.
        chance: expected share of a random pick among each question's choices.
        commonest: share of the one answer that is right most often.
    """

    value: float
    low: float | None
    high: float | None
    count: int
    chance: float
    commonest: float


@checked(frozen=True, slots=True, config=STRICT)
class Samples:
    """Numbers of samples in a run's training.

    Attributes:
        questions: questions trained on; a repeated one counts again.
        drawings: drawings trained on; a repeated one counts again.
        pictures: distinct pictures whose targets were drawn.
    """

    questions: int
    drawings: int
    pictures: int


@checked(frozen=True, slots=True, config=STRICT)
class ProbeResult:
    """The result of a linear probe on frozen features.

    Attributes:
        accuracy: accuracy on test pictures, 0 to 1, with its interval over pictures; of the probe
            `number` balanced accuracy, the mean over classes.
        chance: accuracy of always giving the most common class of the training part; of the probe
            `number` 1 / classes of the test pictures.
        classes: the classes that the probe tells apart.
        train: number of training examples.
        test: number of test examples.
        strength: scikit-learn's C, chosen within the training part.
    """

    accuracy: Estimate
    chance: float
    classes: tuple[str, ...]
    train: int
    test: int
    strength: float


@checked(frozen=True, slots=True, config=STRICT)
class Plateau:
    """Where validation accuracy stood at the end of training.

    Attributes:
        accuracy: mean over the last quarter of the validation curve, 0 to 1.
        rise: how much it rose from the quarter before.
        reached: whether that rise is below `PLATEAU_RISE`.
    """

    accuracy: float
    rise: float
    reached: bool


@checked(frozen=True, slots=True, config=STRICT)
class LayerAttention:
    """Attention of the answering token to visual tokens in one layer.

    Attributes:
        share: mean share, 0 to 1, with its interval over pictures.
        uniform: mean share that even attention would have.
    """

    share: Estimate
    uniform: float


@checked(frozen=True, slots=True, config=STRICT)
class TestSet:
    """Answers to a further set of questions, such as `arithmetic` or `rich scenes`.

    Attributes:
        accuracy: accuracy by task.
        mean: mean of the tasks' accuracies.
        marks: right answers per task and picture (or text), for comparisons.
    """

    accuracy: Mapping[str, TaskAccuracy]
    mean: Estimate
    marks: Marks


@checked(frozen=True, slots=True, config=STRICT)
class RunResult:
    """Everything that was measured of one run on one split.

    Attributes:
        arm: name of the arm, such as `segmentation` or `questions alone`.
        x: value on the axis: a number of pictures or a label; None for an arm off the axis.
        seed: seed of the run.
        config: the whole configuration of the run.
        digest: 16 hexadecimal digits of that configuration.
        split: split on which the run was measured.
        accuracy: accuracy by task.
        mean: mean of the tasks' accuracies; every task counts the same.
        marks: right answers per task and picture, for comparisons on the same pictures.
        training_accuracy: smoothed accuracy at the end of training; None without questions.
        lift_off: step from which validation accuracy stays above the base's; None if it never does,
            or without a validation curve.
        samples: numbers of samples in training.
        seconds: duration of training.
        probes: results of probes by name (`shape`, `pair`, `number`).
        layout: per proxy, measures of generated targets by name (`mIoU`, `PQ`, `AbsRel`, ...).
        generation: by what is drawn of captions (`class map`, `picture`) and by task of the
            caption (`one object`, `two objects`, `counting`, `position`, `colour`, `mean`), the
            share that shows what the caption says. Empty for a model that draws no captions.
        others: further sets of questions by name.
        attention: the answer's attention to visual tokens, layer by layer.
        plateau: where validation accuracy stood at the end; None without a validation curve.
        validation_curve: step and mean accuracy on (a part of) validation while it was trained.
        curve: rows logged in training.
    """

    arm: str
    x: float | str | None
    seed: int
    config: Mapping[str, Any]
    digest: str
    split: Split
    accuracy: Mapping[str, TaskAccuracy]
    mean: Estimate
    marks: Marks
    training_accuracy: float | None
    lift_off: int | None
    samples: Samples
    seconds: float
    probes: Mapping[str, ProbeResult]
    layout: Mapping[str, Mapping[str, Estimate]]
    generation: Mapping[str, Mapping[str, Estimate]]
    others: Mapping[str, TestSet]
    attention: tuple[LayerAttention, ...]
    plateau: Plateau | None
    validation_curve: tuple[tuple[int, float], ...]
    curve: tuple[CurveRow, ...]

    @property
    def chance(self) -> float:
        """Mean over tasks of the expected accuracy of guessing."""
        return sum(task.chance for task in self.accuracy.values()) / len(self.accuracy)


def encode_result(result: RunResult) -> bytes:
    """Encode a result as JSON; the same result gives the same bytes.

    Raises:
        ValueError: the result holds a value that JSON cannot keep, such as NaN.
    """
    document = {"version": RESULT_VERSION, "result": result}
    data = orjson.dumps(document, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
    if decode_result(data, "what was just written") != result:
        raise ValueError(
            "a result does not come back from JSON as it was: it holds NaN or infinity"
        )
    return data


def decode_result(data: bytes, where: str) -> RunResult:
    """Decode the bytes of a result's file; `where` names the file in errors.

    Raises:
        CorpusError: the file is damaged, or of another version.
    """
    try:
        return _ADAPTER.validate_python(_document(data, where)["result"])
    except ValidationError as why:
        wrong = first_problem(why, RunResult)
        raise CorpusError(f"{where} is no result of a run: {wrong}") from why


def _document(data: bytes, where: str) -> dict[str, Any]:
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as why:
        raise CorpusError(f"{where} is no result of a run: {in_words(why)}") from why
    if not isinstance(document, dict) or set(document) != {"version", "result"}:
        raise CorpusError(f"{where} is no result of a run: it has no version and result")
    if document["version"] != RESULT_VERSION:
        raise CorpusError(
            f"{where} has version {cut(document['version'], 40)}; this program reads "
            f"{RESULT_VERSION}"
        )
    return document


_ADAPTER: TypeAdapter[RunResult] = TypeAdapter(RunResult)
