"""What an annotator is: configured by the manifest, set up once, then run by actors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator

from sgt_data.names import checked_name
from sgt_data.pictures.size_rule import SizeRule
from sgt_data.records import Layer

Device = Literal["cpu", "cuda"]
Dtype = Literal["float32", "bfloat16", "float16"]


@dataclass(frozen=True, slots=True)
class Setup:
    """How an annotator runs in one build. Everything here may shape its bytes.

    Attributes:
        device: where.
        device_class: the kind of device, such as `NVIDIA H200` or `cpu AVX2`.
        dtype: of the model's arithmetic.
        batch_size: pictures per forward pass; the last bits of a result may depend on it.
        weights: SHA-256 of the weights file.
        revision: commit of the model's repository, where it comes from one.
        libraries: versions of torch and what stands on it.
    """

    device: Device
    device_class: str
    dtype: Dtype
    batch_size: int
    weights: str
    revision: str | None
    libraries: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class View:
    """A picture made ready for a model: pixels [H, W, 3] uint8 RGB, upright, at the model's size.
    `output` is width and height of the output, `orientation` the EXIF turn of the stored file."""

    pixels: NDArray[np.uint8]
    output: tuple[int, int]
    orientation: int


class LoadedModel(Protocol):
    """A model on its device.

    `prepare` and `finish` run on threads; `run` runs on the device, one call at a time.
    """

    def prepare(self, picture: bytes, rule: SizeRule, max_pixels: int) -> View:
        """Decode and resize one picture.

        Raises:
            InputError: it cannot be decoded, or is of a shape that the model cannot take.
        """
        ...

    def run(self, views: Sequence[View]) -> Sequence[Any]:
        """One forward pass over views of one shape: a result each.

        Raises:
            OutOfMemory: the device cannot hold that many.
        """
        ...

    def finish(self, view: View, result: Any) -> bytes:
        """The result in the form in which it travels.

        Raises:
            InputError: it is of no use (NaN, infinite).
        """
        ...


class OutOfMemory(Exception):
    """The device's memory does not hold this batch."""


class Annotator(BaseModel):
    """Base of every annotator's part of the manifest.

    Attributes:
        type: which kind of annotator, the key of the registry.
        name: how proxies name it; unique in a manifest.
        device: `auto` takes a GPU where the build has one.
        dtype: `auto` is bfloat16 on a GPU (float16 has overflowed for people), float32 on a CPU.
        batch_size: pictures of one shape per forward pass; by default the kind's own on a GPU, and
            1 on a CPU, where a batch gains nothing.
        num_gpus: share of a GPU that one actor takes.
        concurrency: actors; by default one for each share of a GPU, or one for each core.
        threads: that decode and resize for one actor; by default 8 on a GPU, 1 on a CPU.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str
    name: str
    device: Literal["auto", "cpu", "cuda"] = "auto"
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    batch_size: int | None = Field(None, ge=1, le=1024)
    num_gpus: float = Field(1.0, gt=0, le=8)
    concurrency: int | None = Field(None, ge=1)
    threads: int | None = Field(None, ge=1, le=256)

    _name_fits = field_validator("name")(checked_name)

    layer: ClassVar[Layer]
    """What it says of a picture."""

    gpu_batch: ClassVar[int] = 16
    """Default of `batch_size` on a GPU."""

    places: ClassVar[frozenset[str]] = frozenset()
    """Fields that say where weights lie; their digest counts instead."""

    runs: ClassVar[frozenset[str]] = frozenset(
        {"device", "dtype", "batch_size", "num_gpus", "concurrency", "threads"}
    )
    """Fields that say how it runs; `Setup` has what came of them."""

    def identity(self, setup: Setup) -> dict[str, Any]:
        """All that may shape its bytes, as plain JSON."""
        return {
            **self.model_dump(mode="json", exclude=set(self.places | self.runs)),
            "device": setup.device_class,
            "dtype": setup.dtype,
            "batch_size": setup.batch_size,
            "weights": setup.weights,
            "revision": setup.revision,
            "libraries": dict(setup.libraries),
        }

    def libraries(self) -> tuple[str, ...]:
        """Packages that must be there, and whose versions count, beside torch."""
        return ()

    def find_weights(self) -> tuple[str, str | None]:
        """Local path of the weights, fetched if need be, and their revision.

        Raises:
            RequestError: there are none, or they are of another kind; with the command that helps.
        """
        raise NotImplementedError

    def weights_digest(self, path: str) -> str:
        """SHA-256 of what `find_weights` found."""
        raise NotImplementedError

    def load(self, path: str, setup: Setup) -> LoadedModel:
        """The model, on its device.

        Raises:
            RequestError: the weights are not of this kind.
        """
        raise NotImplementedError
