"""Depth Anything V2 (Yang et al., 2024) by `transformers`: relative inverse depth, or metres.

The models of relative depth answer with inverse depth, near is large; those that are fine-tuned for
metric depth with metres, far is large.

The rule for the input is that of the original: the shorter side is scaled to 518 pixels, never
below, both sides are multiples of the patch size 14, bicubic, ImageNet mean and standard deviation.
(The processor of `transformers` scales "as little as possible", which leaves the shorter side of a
small picture below 518 pixels.) The output is brought to the output size bicubically, as in
`transformers`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sgt_data.annotators.base import (
    Annotator,
    LoadedModel,
    Setup,
    View,
)
from sgt_data.annotators.device import running
from sgt_data.annotators.metric_maps import inverse_metres
from sgt_data.annotators.transformers_folder import config_of, load_model
from sgt_data.annotators.weights import (
    check_folder_files,
    check_pinned,
    find_folder,
    folder_digest,
)
from sgt_data.errors import AnnotationError, PictureError, RequestError
from sgt_data.pictures.decode_source import inspect, prepare
from sgt_data.pictures.size_rule import SizeRule
from sgt_data.records import Layer
from sgt_data.sources.dense_maps import encode_dense, encode_inverse_metres

if TYPE_CHECKING:
    import torch

Estimates = Literal["relative", "metric"]

SHORTER_SIDE, PATCH = 518, 14
ASPECT_MAX = 8
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class DepthAnythingModel(Annotator):
    """Base of the annotators that run Depth Anything V2: of relative depth, and of metric depth.

    Attributes:
        revision: commit of the Hub's repository; pin it.
        sha256: digest that the weights must have, if they are to be checked.
    """

    places: ClassVar[frozenset[str]] = frozenset({"model"})
    hub_places: ClassVar[frozenset[str]] = frozenset({"model"})

    estimates: ClassVar[Estimates]
    """What the checkpoint must estimate, as `depth_estimation_type` of its config states it."""

    model: str
    revision: str | None = None
    sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$")

    def libraries(self) -> tuple[str, ...]:
        return ("transformers",)

    def find_weights(self) -> tuple[str, str | None]:
        path, revision = find_folder(self.model, self.revision, self._field)
        config = config_of(path, "depth_anything", self._field)
        if (estimated := config.depth_estimation_type) != self.estimates:
            raise RequestError(f"{self._field}: {path} estimates {estimated} depth; {self._advice}")
        check_folder_files(path, self._field)
        return path, revision

    def weights_digest(self, path: str) -> str:
        digest = folder_digest(path)
        check_pinned(digest, self.sha256, f"annotators.{self.name}.sha256")
        return digest

    def load(self, path: str, setup: Setup) -> LoadedModel:
        return _DepthAnything(path, setup, self._field, self.estimates)

    @property
    def _field(self) -> str:
        return f"annotators.{self.name}.model"

    @property
    def _advice(self) -> str:
        """What to do where the checkpoint estimates the other kind of depth."""
        raise NotImplementedError


class DepthAnythingAnnotator(DepthAnythingModel):
    """Annotator that provides depth by Depth Anything V2.

    Examples:
        {type: depth_anything}
        {type: depth_anything, model: /models/Depth-Anything-V2-Large-hf}

    Attributes:
        model: folder, or id on the Hugging Face Hub. The Small model alone is Apache-2.0; Base and
            Large are CC-BY-NC-4.0.
    """

    layer: ClassVar[Layer] = "depth"
    estimates: ClassVar[Estimates] = "relative"

    type: Literal["depth_anything"] = "depth_anything"
    name: str = "depth-anything"
    model: str = "depth-anything/Depth-Anything-V2-Small-hf"

    @property
    def _advice(self) -> str:
        return "give type: depth_anything_metric, whose depth in metres serves depth as well"


class DepthAnythingMetricAnnotator(DepthAnythingModel):
    """Annotator that provides depth in metres by Depth Anything V2, fine-tuned for metric depth.

    A checkpoint is for rooms (largest depth 20 m) or for streets (80 m): `max_depth` of its config.

    Examples:
        {type: depth_anything_metric}
        {type: depth_anything_metric, model: /models/Depth-Anything-V2-Metric-Outdoor-Small-hf}

    Attributes:
        model: folder, or id on the Hugging Face Hub, of a checkpoint whose config states
            `depth_estimation_type: metric`.
    """

    layer: ClassVar[Layer] = "metric_depth"
    further_layers: ClassVar[frozenset[Layer]] = frozenset({"depth"})
    estimates: ClassVar[Estimates] = "metric"

    type: Literal["depth_anything_metric"] = "depth_anything_metric"
    name: str = "depth-anything-metric"
    model: str = "depth-anything/Depth-Anything-V2-Metric-Indoor-Small-hf"

    @property
    def _advice(self) -> str:
        return (
            "it has no metres. Metric checkpoints are those of "
            "depth-anything/Depth-Anything-V2-Metric-{Indoor,Outdoor}-{Small,Base,Large}-hf, whose "
            "config.json has depth_estimation_type: metric; type: depth_anything takes this one"
        )


def input_size(width: int, height: int) -> tuple[int, int]:
    """Width and height of the model's input for an upright picture of `width` x `height` pixels."""
    scale = SHORTER_SIDE / min(width, height)
    return (
        max(SHORTER_SIDE, round(width * scale / PATCH) * PATCH),
        max(SHORTER_SIDE, round(height * scale / PATCH) * PATCH),
    )


class _ModelInput(SizeRule):
    """The size rule of the model's input."""

    def output_size(self, width: int, height: int) -> tuple[int, int]:
        return input_size(width, height)


class _DepthAnything:
    def __init__(self, path: str, setup: Setup, field: str, estimates: Estimates) -> None:
        import torch

        self._setup, self._estimates = setup, estimates
        self._model = load_model("DepthAnythingForDepthEstimation", path, setup, field)
        self._mean = torch.tensor(_MEAN, device=setup.device).view(1, 3, 1, 1)
        self._deviation = torch.tensor(_DEVIATION, device=setup.device).view(1, 3, 1, 1)

    def prepare(self, picture: bytes, rule: SizeRule, max_pixels: int) -> View:
        stored = inspect(picture, max_pixels)
        width, height = stored.upright_size
        if max(width, height) > ASPECT_MAX * min(width, height):
            raise PictureError(
                f"{width}x{height} is longer than {ASPECT_MAX} times its shorter side, "
                "beyond what the depth model can take"
            )
        pixels = prepare(stored, _ModelInput(), "convert").pixels
        return View(pixels, rule.output_size(width, height), stored.orientation)

    def run(self, views: Sequence[View]) -> Sequence[Any]:
        import torch

        with running(self._setup):
            stacked = self.packed(views).to(self._setup.device, non_blocking=True)
            pixels = stacked.permute(0, 3, 1, 2).float().div_(255)
            pixels = pixels.sub_(self._mean).div_(self._deviation)
            depth = self._model(pixel_values=pixels.to(self._model.dtype)).predicted_depth.float()
            sized = [
                # without waiting, so that maps come back through page-locked memory, side by side
                self._sized(values, view.output).to("cpu", non_blocking=True)
                for values, view in zip(depth, views, strict=True)
            ]
            if self._setup.device == "cuda":
                torch.cuda.current_stream().synchronize()
            return [values.numpy() for values in sized]

    def packed(self, views: Sequence[View]) -> torch.Tensor:
        """[N, H, W, 3] uint8, in page-locked memory where it goes to a GPU."""
        import torch

        pixels = np.shape(views[0].pixels)
        on_gpu = self._setup.device == "cuda"
        batch = torch.empty((len(views), *pixels), dtype=torch.uint8, pin_memory=on_gpu)
        np.stack([view.pixels for view in views], out=batch.numpy())
        return batch

    def finish(self, view: View, result: NDArray[np.float32]) -> bytes:
        try:
            if self._estimates == "metric":
                return encode_inverse_metres(inverse_metres(result))
            return encode_dense(result)
        except AnnotationError as why:
            raise AnnotationError(f"the depth model's output: {why}") from why

    def _sized(self, depth: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        """[H, W] -> [height, width], not below zero: bicubic sampling overshoots."""
        import torch

        width, height = size
        sized = torch.nn.functional.interpolate(
            depth[None, None], size=(height, width), mode="bicubic", align_corners=False
        )
        return sized[0, 0].clamp_(min=0)
