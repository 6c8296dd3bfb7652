"""The gate of stage 0: does a pretrained model answer, and not only what it learnt by heart?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import orjson
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked

from sgt_data.errors import CorpusError
from sgt_data.files.writing import write_atomic
from sgt_data.foreign_errors import in_words

FILE = "gate.json"

LEAST_VALIDATION = 0.65
"""Mean accuracy on validation that is needed: below it answers have hardly begun, and
post-training would show when they begin and not what it adds."""

LARGEST_GAP = 0.10
"""Most by which accuracy on questions that were trained on may exceed that on validation."""


@checked(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class Gate:
    """What the gate measured of a run.

    Attributes:
        validation: mean accuracy over tasks on validation, 0 to 1.
        training: the same on as many questions of training.
        chance: mean accuracy of guessing on validation.
        questions: number of questions of each of the two.
        passed: whether the run may begin an experiment.
        reason: why it may, or may not.
        checkpoint: SHA-256 of the checkpoint that was measured.
        config: digest of the run's configuration.
        corpus: the corpus' name and, by proxy, its fingerprint.
    """

    validation: float
    training: float
    chance: float
    questions: int
    passed: bool
    reason: str
    checkpoint: str
    config: str
    corpus: Mapping[str, str]


def verdict(validation: float, training: float) -> tuple[bool, str]:
    """Whether a run passes, and why."""
    stated = f"answers on validation {validation:.3f}, on training {training:.3f}"
    if validation < LEAST_VALIDATION:
        return False, f"{stated}; at least {LEAST_VALIDATION} on validation is needed: train longer"
    if training - validation > LARGEST_GAP:
        return False, (
            f"{stated}; they may differ by {LARGEST_GAP} at most: the model learnt questions by "
            "heart, so give it more of them or fewer steps"
        )
    return True, stated


def write_gate(folder: Path, gate: Gate) -> None:
    """Write `gate.json` into the folder of a run."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    write_atomic(str(folder / FILE), orjson.dumps(gate, option=options))


def read_gate(folder: Path) -> Gate | None:
    """The gate of a run; None where none was measured.

    Raises:
        CorpusError: the file is damaged.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        return _ADAPTER.validate_python(orjson.loads(path.read_bytes()))
    except (OSError, orjson.JSONDecodeError, ValidationError) as why:
        raise CorpusError(f"{path} is no gate of a pretrained run: {in_words(why)}") from why


_ADAPTER: TypeAdapter[Gate] = TypeAdapter(Gate)
