"""The settings of the bundled model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from sgt_data.errors import RequestError
from sgt_data.training.config import validated
from sgt_data.training.network_layers import PATCH
from sgt_data.value_text import cut


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class ModelSettings:
    """Sizes and shape of the bundled model.

    Attributes:
        picture: side of the pictures, pixels; a multiple of 8, the side of a patch.
        width: length of the trunk's vectors.
        layers: transformer layers of the trunk.
        heads: attention heads of a layer.
        residuals: residual convolutions before the trunk.
        words: words of a text that are read.
        rows: rows of the table of word vectors, see `hashed_words`.
        shape: `joint`: all weights learn; `frozen`: the heads alone learn.
        trunk: path of a checkpoint of a `joint` model, whose trunk and answers a `frozen` one
            takes.
        generation: how a target is drawn, by regression or by rectified flow.
        generator_layers: transformer layers of the drawing head, between the trunk and the patches.
        flow_steps: steps from noise to a picture, with flow.
        classes: categories that patches can be told apart by, for drawings that are classified.
    """

    picture: int = 48
    width: int = 64
    layers: int = 2
    heads: int = 4
    residuals: int = 2
    words: int = 48
    rows: int = 4096
    shape: Literal["joint", "frozen"] = "joint"
    trunk: str | None = None
    generation: Literal["regression", "flow"] = "flow"
    generator_layers: int = 2
    flow_steps: int = 16
    classes: int = 160


def parse_settings(settings: Mapping[str, Any]) -> ModelSettings:
    """Settings from the plain data of a configuration.

    Raises:
        RequestError: a field is unknown, has a wrong type, or is a size that the model cannot have.
    """
    parsed = validated(ModelSettings, dict(settings), "model.settings", "model.settings.")
    if parsed.picture % PATCH or parsed.width % (4 * parsed.heads) or parsed.width % 8:
        raise RequestError(
            f"model.settings: picture is {parsed.picture}, a multiple of {PATCH} is needed; width "
            f"is {parsed.width}, a multiple of 8 and of 4 times the heads is"
        )
    if parsed.shape == "joint" and parsed.trunk is not None:
        raise RequestError(
            f"model.settings: trunk is {cut(parsed.trunk)} and shape is joint, which takes none; "
            "set shape to frozen, or model.init to begin with the weights of a checkpoint"
        )
    return parsed
