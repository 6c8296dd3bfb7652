"""The configuration of a run: typed, from YAML and `key=value`, and stored with its results."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import asdict, field
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

import orjson
from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked

from sgt_data.errors import RequestError
from sgt_data.field_errors import dotted, wrong_fields
from sgt_data.files.urls import Location, plain
from sgt_data.overrides import override_fields
from sgt_data.redaction import redacted
from sgt_data.training.run_inputs import CHECKED, DataConfig, ModelConfig
from sgt_data.value_text import cut
from sgt_data.yaml_text import found_instead, parse_yaml

T = TypeVar("T")


@checked(frozen=True, config=CHECKED)
class TrainConfig:
    """The configuration of one run.

    Attributes:
        data: the data that the model learns from.
        model: the model that is trained.
        seed: seed of the weights, the order and every other random choice.
        steps: number of optimiser steps.
        questions: questions in a global batch.
        drawings: targets to draw in a global batch; the proxies share them equally.
        descriptions: questions that captions answer, in a global batch.
        captions: captions in a global batch; the files share them by their sizes.
        objective: `draw`: targets are drawn; `classify`: the category of every patch is told, with
            no drawing, a control for targets that have categories.
        drawing_weight: weight of the loss of drawings; the loss of answers has weight 1.
        caption_weight: weight of the loss of captions.
        optimiser: `muon`: Muon for matrices and AdamW for the rest; `adamw`: AdamW for all.
        matrix_rate: learning rate of Muon.
        rate: learning rate of AdamW.
        drawing_matrix_rate: learning rate of Muon for the model's `drawing_parts`, the head that
            draws; None for `matrix_rate`.
        drawing_rate: that of AdamW; None for `rate`.
        weight_decay: weight decay of both optimisers.
        warm_up: steps in which the learning rates rise from 0.
        cool_down: share of the steps, the last ones, in which the learning rates fall to 0.
        clip: largest norm of the gradient; 0 for no bound.
        accumulate: parts into which a rank's batch is cut, with one backward pass each.
        precision: `bf16` computes forward and backward passes in bfloat16, on a GPU or on a CPU. A
            CPU is faster with it only where it multiplies bfloat16 itself (AMX or AVX512-BF16);
            everywhere its losses differ a little from one machine to another.
        threads: CPU threads of each process; a small model is fastest on one.
        workers: worker processes that load data; 0 loads in the training process.
        checkpoint_every: steps between checkpoints; a multiple of `log_every`, so that no row of
            the curve spans a checkpoint.
        log_every: steps whose mean is one row of the curve.
    """

    data: DataConfig
    model: ModelConfig = field(default_factory=ModelConfig)
    seed: int = 0
    steps: int = 1200
    questions: int = 16
    drawings: int = 32
    descriptions: int = 0
    captions: int = 0
    objective: Literal["draw", "classify"] = "draw"
    drawing_weight: float = 4.0
    caption_weight: float = 4.0
    optimiser: Literal["muon", "adamw"] = "muon"
    matrix_rate: float = 0.02
    rate: float = 5e-3
    drawing_matrix_rate: float | None = None
    drawing_rate: float | None = None
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
        sizes = self.questions, self.descriptions, self.drawings, self.captions
        if sum(sizes) < 1 or min(sizes) < 0:
            raise ValueError("questions, descriptions, drawings, captions: a batch needs some")
        if self.drawings and not self.data.proxies:
            raise ValueError("drawings: data.proxies names none to draw; set drawings to 0")
        if self.captions and not self.data.captions:
            raise ValueError("captions: data.captions names no file; set captions to 0")
        if self.descriptions and not self.data.descriptions:
            raise ValueError("descriptions: data.descriptions names no file; set it to 0")
        if self.steps < 1 or self.log_every < 1 or self.accumulate < 1:
            raise ValueError("steps, log_every and accumulate are from 1 on")
        if not 0 <= self.cool_down <= 1 or self.warm_up < 0:
            raise ValueError("cool_down is a share, 0 to 1; warm_up is a number of steps from 0 on")
        if self.checkpoint_every < 1 or self.checkpoint_every % self.log_every:
            raise ValueError(
                f"checkpoint_every is {self.checkpoint_every}, no multiple of log_every, which is "
                f"{self.log_every}"
            )

    @property
    def samples(self) -> int:
        """Samples in a global batch."""
        return self.questions + self.descriptions + self.drawings + self.captions


def parse_config(document: Any, overrides: Sequence[str] | str = ()) -> TrainConfig:
    """A configuration from a document and `key=value` overrides (`data.fraction=0.5`).

    Raises:
        RequestError: names the field, what was found and what would be right.
    """
    document = copy.deepcopy(dict(document or {}))
    for name in ("data", "model"):
        document.setdefault(name, {})
    document["model"].setdefault("settings", {})
    override_fields(document, overrides)
    return validated(TrainConfig, document, "configuration")


def validated(model: type[T], document: Any, whole: str, inside: str = "") -> T:
    """Check a document against a dataclass, and return it as a value of this class.

    Args:
        model: the dataclass.
        document: plain data.
        whole: name of the document in messages about all of it.
        inside: prefix of field names in messages, for a document that is part of another one.

    Raises:
        RequestError: names the first field that is wrong, and what was found.
    """
    try:
        value: T = _adapter(cast(Any, model)).validate_python(document)
        return value
    except ValidationError as why:
        place, problem = wrong_fields(why, model)[0]
        if not place and not inside:  # of several fields together, which the message names
            raise RequestError(f"{whole}: {problem}") from why
        raise RequestError(f"{inside}{dotted(place)}: {problem}") from why


@lru_cache(maxsize=8)
def _adapter(model: Any) -> TypeAdapter[Any]:
    """The adapter of a dataclass, which takes long to make."""
    return TypeAdapter(model)


def load_config(
    path: Location | None, data: Mapping[str, Any], overrides: Sequence[str] | str = ()
) -> TrainConfig:
    """A configuration from a YAML file, with some fields of its data replaced.

    Where the data names no proxies, `drawings` becomes 0.

    Args:
        path: of the YAML file; None for the defaults.
        data: fields of `DataConfig` that replace those of the file.
        overrides: `key=value` each, applied last.

    Raises:
        RequestError: the file is missing or is no configuration, or a field is wrong (names it).
    """
    document: dict[str, Any] = {}
    if path is not None:
        try:
            text = Path(plain(path)).read_bytes()
        except OSError as why:
            raise RequestError(f"{path} cannot be read: {why.strerror}") from why
        document = parse_yaml(text, str(path))
        if not isinstance(document, dict):
            raise RequestError(f"{path}: {found_instead(document)}; settings are `field: value`")
    if not isinstance(document.get("data", {}), dict):
        raise RequestError(f"{path}: data is {cut(document['data'], 60)}, not fields with values")
    document["data"] = {**document.get("data", {}), **data}
    if not document["data"].get("proxies"):
        document["drawings"] = 0
        if document["data"].get("fraction") is not None:
            raise RequestError(
                "data.fraction (--fraction) is the share of the corpus that is drawn, and "
                "data.proxies (--proxy) names no proxy to draw; give both or none"
            )
    return parse_config(document, overrides)


def document_of(config: TrainConfig) -> dict[str, Any]:
    """A configuration as plain data, with every default written out; URLs lose their secrets."""
    document: dict[str, Any] = redacted(orjson.loads(orjson.dumps(asdict(config))))
    return document


def digest_of(document: Any) -> str:
    """A digest of plain data, 16 hexadecimal digits; the order of the keys does not matter."""
    data = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    return sha256(data).hexdigest()[:16]
