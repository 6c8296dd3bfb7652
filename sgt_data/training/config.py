"""What a run trains, on what and how: typed, from YAML and `key=value`, kept beside the results."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import asdict, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, TypeVar

import orjson
import yaml
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked

from sgt_data.errors import RequestError
from sgt_data.overrides import override_fields

T = TypeVar("T")

_CHECKED = ConfigDict(extra="forbid")


@checked(frozen=True, config=_CHECKED)
class ModelConfig:
    """The bundled model (`experiment.model`), or another one.

    Attributes:
        make: `package.module:function` that makes a `Learner` of (answers, settings).
        picture: side of the pictures that it sees and draws, pixels.
        settings: of that function.
    """

    make: str = "sgt_data.training.model:make"
    picture: int = 48
    settings: Mapping[str, Any] = field(default_factory=dict)


@checked(frozen=True, config=_CHECKED)
class DataConfig:
    """What is learnt.

    Attributes:
        corpus: fsspec URL of a corpus or of a subset file.
        proxies: whose targets are drawn; none: questions alone.
        fraction: of the corpus that is drawn, as `sgt-data scale` takes it; None for all.
        questions: a folder of `sgt-data questions`, or a `.jsonl` file in LLaVA's form.
        more_questions: files in the same form that are mixed into the questions.
        blind: grey pictures in place of those of the questions.
    """

    corpus: str
    questions: str
    proxies: Sequence[str] = ()
    fraction: float | None = None
    more_questions: Sequence[str] = ()
    blind: bool = False


@checked(frozen=True, config=_CHECKED)
class TrainConfig:
    """One run.

    Attributes:
        data, model: see there.
        seed: of the model, the order and all else.
        steps: optimiser steps.
        questions, drawings: of a global batch; drawings are shared equally by the proxies.
        drawing_weight: of the loss of drawings beside that of the answers.
        optimiser: `muon` takes matrices, AdamW the rest; or AdamW takes all.
        matrix_rate, rate: learning rates of Muon, and of AdamW.
        weight_decay: of both.
        warm_up: steps in which the rates rise from 0.
        cool_down: share of the steps, the last ones, in which the rates fall to 0.
        clip: largest norm of a gradient; 0 for no bound.
        accumulate: parts into which a rank's batch is cut, one backward pass each.
        precision: `bf16` computes forward and backward passes in bfloat16 where there is a GPU.
        threads: of a process that computes on a CPU; a small model is fastest on one.
        workers: of the DataLoader; 0 loads in the training process.
        log_every: steps that a row of the curve is the mean of.
        checkpoint_every: steps; a multiple of `log_every`, as no row spans a checkpoint.
    """

    data: DataConfig
    model: ModelConfig = field(default_factory=ModelConfig)
    seed: int = 0
    steps: int = 1200
    questions: int = 16
    drawings: int = 32
    drawing_weight: float = 4.0
    optimiser: Literal["muon", "adamw"] = "muon"
    matrix_rate: float = 0.02
    rate: float = 5e-3
    weight_decay: float = 0.0
    warm_up: int = 30
    cool_down: float = 0.4
    clip: float = 0.0
    accumulate: int = 1
    precision: Literal["fp32", "bf16"] = "fp32"
    threads: int = 1
    workers: int = 0
    checkpoint_every: int = 200
    log_every: int = 20

    def __post_init__(self) -> None:
        if self.questions + self.drawings < 1 or min(self.questions, self.drawings) < 0:
            raise ValueError("questions and drawings: a batch needs some")
        if self.drawings and not self.data.proxies:
            raise ValueError("drawings: data.proxies names none to draw; set drawings to 0")
        if self.steps < 1 or self.log_every < 1 or self.accumulate < 1:
            raise ValueError("steps, log_every and accumulate are from 1 on")
        if not 0 <= self.cool_down <= 1 or self.warm_up < 0:
            raise ValueError("cool_down is a share, 0 to 1; warm_up is a number of steps from 0 on")
        if self.checkpoint_every < 1 or self.checkpoint_every % self.log_every:
            raise ValueError(
                f"checkpoint_every is {self.checkpoint_every}, no multiple of log_every, which is "
                f"{self.log_every}"
            )


def parse_config(document: Any, overrides: Sequence[str] = ()) -> TrainConfig:
    """A configuration from a document and `key=value` overrides (`data.samples=128`).

    Raises:
        RequestError: names the field, what was found and what would be right.
    """
    document = copy.deepcopy(dict(document or {}))
    for name in ("data", "model"):
        document.setdefault(name, {})
    document["model"].setdefault("settings", {})
    override_fields(document, overrides)
    return validated(_ADAPTER, document, "configuration")


def validated(adapter: TypeAdapter[T], document: Any, whole: str, inside: str = "") -> T:
    """A document as a typed one.

    Args:
        whole: what the document is called where all of it is wrong.
        inside: where it stands in another one, before a field's name.

    Raises:
        RequestError: names the first field that is wrong, and what was found.
    """
    try:
        return adapter.validate_python(document)
    except ValidationError as why:
        first = why.errors()[0]
        where = inside + ".".join(map(str, first["loc"])) or whole
        raise RequestError(f"{where}: found {first['input']!r:.60}; {first['msg']}") from why


def load_config(
    path: Path | None, data: Mapping[str, Any], overrides: Sequence[str] = ()
) -> TrainConfig:
    """A configuration from a YAML file, with other data; drawings are 0 where there is nothing to
    draw.

    Raises:
        RequestError: there is no such file, or it is none; names the field.
    """
    document: dict[str, Any] = {}
    if path is not None:
        try:
            document = dict(yaml.safe_load(path.read_text()))
        except (OSError, TypeError, ValueError, yaml.YAMLError) as why:
            raise RequestError(f"{path} is no configuration: {why}") from why
    document["data"] = {**document.get("data", {}), **data}
    if not document["data"].get("proxies"):
        document["drawings"] = 0
    return parse_config(document, overrides)


def document_of(config: TrainConfig) -> dict[str, Any]:
    """The configuration as plain data, every default written out."""
    found: dict[str, Any] = orjson.loads(orjson.dumps(asdict(config)))
    return found


def digest_of(document: Any) -> str:
    """16 hexadecimal digits that stand for a configuration."""
    data = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    return sha256(data).hexdigest()[:16]


_ADAPTER: TypeAdapter[TrainConfig] = TypeAdapter(TrainConfig)
