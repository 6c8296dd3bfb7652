"""Base class of annotators, which are set up once and then run by actors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sgt_data import checks
from sgt_data.errors import SgtDataError
from sgt_data.pictures.size_rule import SizeRule
from sgt_data.plugins.member import Member
from sgt_data.plugins.origins import origin_of
from sgt_data.records import Layer

Device = Literal["cpu", "cuda"]
Dtype = Literal["float32", "bfloat16", "float16"]


@dataclass(frozen=True, slots=True)
class Setup:
    """How an annotator runs in a build. Every field may change the bytes of its results.

    Attributes:
        device: where the model runs.
        device_class: kind of the device, such as `NVIDIA H200` or `cpu AVX2`.
        dtype: type of the model's arithmetic.
        batch_size: pictures of a forward pass; the last bits of a result may depend on it.
        weights: SHA-256 of the weights.
        revision: commit of the model's repository; None where the weights are not from one.
        libraries: versions of torch and of the packages that use it.
    """

    device: Device
    device_class: str
    dtype: Dtype
    batch_size: int
    weights: str
    revision: str | None
    libraries: Mapping[str, str]

    def __post_init__(self) -> None:
        checks.one_of("device", self.device, get_args(Device))
        checks.one_of("dtype", self.dtype, get_args(Dtype))
        checks.whole_number("batch_size", self.batch_size, 1)


@dataclass(frozen=True, slots=True)
class View:
    """A picture as the input of a model.

    Attributes:
        pixels: [H, W, 3] uint8 RGB, upright, at the size that the model takes.
        output: width and height of the output.
        orientation: EXIF orientation of the stored file, 1 to 8.
    """

    pixels: NDArray[np.uint8]
    output: tuple[int, int]
    orientation: int


class LoadedModel(Protocol):
    """A model on its device.

    `prepare` and `finish` run on threads; `run` runs on the device, one call at a time.
    """

    def prepare(self, picture: bytes, rule: SizeRule, max_pixels: int) -> View:
        """Decode and resize a picture.

        Args:
            picture: bytes of the file.
            rule: rule for the output size.
            max_pixels: most pixels of a picture.

        Raises:
            InputError: the picture cannot be decoded, or has a shape that the model cannot take.
        """
        ...

    def run(self, views: Sequence[View]) -> Sequence[Any]:
        """Results of a forward pass over views of the same shape, one for each view.

        Raises:
            OutOfMemory: the device cannot hold that many views.
        """
        ...

    def finish(self, view: View, result: Any) -> bytes:
        """Bytes of the layer that a result becomes.

        Raises:
            InputError: the result is of no use (NaN, infinite).
        """
        ...


class OutOfMemory(SgtDataError):
    """The memory of the device is too small for a batch."""


class Annotator(Member):
    """Base class of the annotators of a manifest. A subclass finds its weights and loads its model.

    Attributes:
        type: kind of annotator, the key of the registry.
        name: name by which proxies refer to it; unique in a manifest.
        device: `auto` is a GPU where the build has one.
        dtype: `auto` is bfloat16 on a GPU (float16 has overflowed for people), float32 on a CPU.
        batch_size: pictures of one shape in a forward pass; by default that of the kind on a GPU,
            and 1 on a CPU, where a batch gains nothing.
        num_gpus: share of a GPU that an actor takes.
        concurrency: number of actors; by default one for each share of a GPU, or for each core.
        threads: threads of an actor that decode and resize; by default 8 on a GPU, 1 on a CPU.
    """

    device: Literal["auto", "cpu", "cuda"] = "auto"
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    batch_size: int | None = Field(None, ge=1, le=1024)
    num_gpus: float = Field(1.0, gt=0, le=8)
    concurrency: int | None = Field(None, ge=1)
    threads: int | None = Field(None, ge=1, le=256)

    role: ClassVar[str] = "annotator"
    to_write: ClassVar[frozenset[str]] = frozenset({"find_weights", "weights_digest", "load"})

    layer: ClassVar[Layer]
    """The layer that it provides."""

    further_layers: ClassVar[frozenset[Layer]] = frozenset()
    """Layers that its results serve as well: metric depth serves as depth."""

    gpu_batch: ClassVar[int] = 16
    """Default of `batch_size` on a GPU."""

    places: ClassVar[frozenset[str]] = frozenset()
    """Names of the fields that hold the place of the weights; the digest counts instead. Relative
    ones of a manifest lie in its folder."""

    place_words: ClassVar[frozenset[str]] = frozenset()
    """Values of such fields that are words and no places."""

    hub_places: ClassVar[frozenset[str]] = frozenset()
    """Names of such fields that may hold the id of a repository on the Hugging Face Hub."""

    runs: ClassVar[frozenset[str]] = frozenset(
        {"device", "dtype", "batch_size", "num_gpus", "concurrency", "threads"}
    )
    """Names of the fields that say how it runs; their results are in `Setup`."""

    @property
    def look(self) -> str | None:
        """How its layer looks, where instructions must tell looks of the same layer apart."""
        return None

    def identity(self, setup: Setup) -> dict[str, Any]:
        """All that may change the bytes of its results, as plain JSON."""
        origin = origin_of(type(self))
        return {
            **self.model_dump(mode="json", exclude={*self.places, *self.runs}),
            **({"plugin": dict(origin)} if origin else {}),
            "device": setup.device_class,
            "dtype": setup.dtype,
            "batch_size": setup.batch_size,
            "weights": setup.weights,
            "revision": setup.revision,
            "libraries": dict(setup.libraries),
        }

    def libraries(self) -> tuple[str, ...]:
        """Packages that it needs, and whose versions may change its results, without torch."""
        return ()

    def find_weights(self) -> tuple[str, str | None]:
        """Local path of the weights, which are fetched where needed, and their revision.

        Raises:
            RequestError: the weights are missing or of another kind; the message says what helps.
        """
        raise NotImplementedError

    def weights_digest(self, path: str) -> str:
        """SHA-256 of the weights at the path that `find_weights` gave.

        Raises:
            RequestError: it is not the digest that the manifest asks for.
        """
        raise NotImplementedError

    def load(self, path: str, setup: Setup) -> LoadedModel:
        """Load the model to its device.

        Raises:
            RequestError: the weights are not of this kind.
        """
        raise NotImplementedError
