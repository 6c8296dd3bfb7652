"""What one run found, as it is kept: one JSON file a run, of which tables and plots are made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import orjson
from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked

from sgt_data.errors import CorpusError
from sgt_data.experiment.measure.intervals import RECORD, Estimate

RESULT_VERSION = 1

Marks = Mapping[str, Mapping[str, tuple[int, int]]]
"""Per task and picture (its key): questions answered right, and asked."""

CurveRow = tuple[int, float | None, float | None, float | None]
"""Step, loss of answers, loss of drawings, training accuracy (0 to 1)."""


@checked(frozen=True, slots=True, config=RECORD)
class TaskAccuracy:
    """Share of a task's questions that are answered right.

    Attributes:
        value: 0 to 1.
        low, high: 95 % interval over pictures; None for one picture.
        count: questions.
        chance: of a guess among each question's choices.
        commonest: what the one best answer, always given, would have reached on these questions.
    """

    value: float
    low: float | None
    high: float | None
    count: int
    chance: float
    commonest: float


@checked(frozen=True, slots=True, config=RECORD)
class Samples:
    """What training saw.

    Attributes:
        questions, drawings: samples, repeated ones counted again.
        pictures: distinct pictures whose targets were drawn.
    """

    questions: int
    drawings: int
    pictures: int


@checked(frozen=True, slots=True, config=RECORD)
class ProbeResult:
    """A linear probe on frozen features.

    Attributes:
        accuracy: on test pictures, 0 to 1, with its interval over pictures.
        chance: accuracy of always giving the training part's commonest class.
        classes: that it tells apart.
        train, test: examples.
        strength: scikit-learn's C that was chosen within the training part.
    """

    accuracy: Estimate
    chance: float
    classes: tuple[str, ...]
    train: int
    test: int
    strength: float


@checked(frozen=True, slots=True, config=RECORD)
class RunResult:
    """One run of one arm.

    Attributes:
        arm: what was done, such as `segmentation` or `questions alone`.
        x: where on the axis: pictures, or a label; None for an arm off the axis.
        seed: of the run.
        config, digest: the run's whole configuration, and the digits that stand for it.
        split: on which all was measured.
        accuracy: by task.
        mean: of the tasks' accuracies, every task counting the same.
        marks: per task and picture, for comparisons on the same pictures.
        training_accuracy: at the end, smoothed as for the lift-off; None without questions.
        lift_off: the step from which training accuracy stays above chance; None if it never does.
        samples: what training saw.
        seconds: that training took.
        probes: by name (`shape`, `pair`, `number`).
        layout: per proxy, measures of generated targets by name (`mIoU`, `PQ`, `AbsRel`, ...).
        attention: share of the answer's attention that goes to visual tokens, per layer.
        curve: what was logged in training.
    """

    arm: str
    x: float | str | None
    seed: int
    config: Mapping[str, Any]
    digest: str
    split: Literal["validation", "test"]
    accuracy: Mapping[str, TaskAccuracy]
    mean: Estimate
    marks: Marks
    training_accuracy: float | None
    lift_off: int | None
    samples: Samples
    seconds: float
    probes: Mapping[str, ProbeResult]
    layout: Mapping[str, Mapping[str, Estimate]]
    attention: tuple[Estimate, ...]
    curve: tuple[CurveRow, ...]

    @property
    def chance(self) -> float:
        """Mean over tasks of the accuracy of guessing."""
        return sum(one.chance for one in self.accuracy.values()) / len(self.accuracy)


def encode_result(result: RunResult) -> bytes:
    """The same bytes for the same result.

    Raises:
        ValueError: it holds what JSON cannot keep, such as a number that is none.
    """
    document = {"version": RESULT_VERSION, "result": result}
    data = orjson.dumps(document, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
    if decode_result(data, "what was just written") != result:
        raise ValueError("a result does not come back from JSON as it was: a number is none in it")
    return data


def decode_result(data: bytes, where: str) -> RunResult:
    """The result in a file's bytes.

    Raises:
        CorpusError: the file is damaged, or of another version.
    """
    try:
        return _ADAPTER.validate_python(_document(data, where)["result"])
    except ValidationError as why:
        first = why.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise CorpusError(f"{where} is no result of a run: {field}: {first['msg']}") from why


def _document(data: bytes, where: str) -> dict[str, Any]:
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as why:
        raise CorpusError(f"{where} is no result of a run: {why}") from why
    if not isinstance(document, dict) or set(document) != {"version", "result"}:
        raise CorpusError(f"{where} is no result of a run: it has no version and result")
    if document["version"] != RESULT_VERSION:
        raise CorpusError(
            f"{where} has version {document['version']!r:.40}; this program reads {RESULT_VERSION}"
        )
    return document


_ADAPTER: TypeAdapter[RunResult] = TypeAdapter(RunResult)
