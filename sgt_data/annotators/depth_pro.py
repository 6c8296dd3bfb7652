"""Depth Pro (Bochkovskii et al., 2024) by `transformers`: metric depth, with the focal length.

Input and output follow `transformers`' image processor: the upright picture, whatever its shape,
becomes a square of 1536 pixels a side (bilinear, not smoothed), mean and standard deviation 0.5.
The model answers with inverse depth for a canonical camera and with the horizontal field of view;
depth in 1/m is the first times width / focal length, brought to the output size bilinearly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from sgt_data.annotators.base import Annotator, LoadedModel, Setup, View
from sgt_data.annotators.device import running
from sgt_data.annotators.metric_maps import NEAREST
from sgt_data.annotators.transformers_folder import config_of, load_model
from sgt_data.annotators.weights import (
    check_folder_files,
    check_pinned,
    find_folder,
    folder_digest,
)
from sgt_data.errors import AnnotationError, RequestError
from sgt_data.pictures.decode_source import inspect, prepare
from sgt_data.pictures.size_rule import AsStored, SizeRule
from sgt_data.records import Layer
from sgt_data.sources.dense_maps import encode_inverse_metres

_FARTHEST = 1e4  # metres, the limit of the image processor
_CENTRE = 0.5


class DepthProAnnotator(Annotator):
    """Annotator that provides depth in metres by Depth Pro, with the focal length that it predicts.

    Examples:
        {type: depth_pro}
        {type: depth_pro, model: /models/DepthPro-hf}

    Attributes:
        model: folder, or id on the Hugging Face Hub. The weights are under Apple's own licence
            for its research models.
        revision: commit of the Hub's repository; pin it.
        sha256: digest that the weights must have, if they are to be checked.
    """

    layer: ClassVar[Layer] = "metric_depth"
    further_layers: ClassVar[frozenset[Layer]] = frozenset({"camera_depth", "depth"})
    gpu_batch: ClassVar[int] = 4
    places: ClassVar[frozenset[str]] = frozenset({"model"})
    hub_places: ClassVar[frozenset[str]] = frozenset({"model"})

    type: Literal["depth_pro"] = "depth_pro"
    name: str = "depth-pro"
    model: str = "apple/DepthPro-hf"
    revision: str | None = None
    sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$")

    def libraries(self) -> tuple[str, ...]:
        return ("transformers",)

    def find_weights(self) -> tuple[str, str | None]:
        path, revision = find_folder(self.model, self.revision, self._field)
        if not config_of(path, "depth_pro", self._field).use_fov_model:
            raise RequestError(
                f"{self._field}: {path} has no model of the field of view (use_fov_model in "
                "config.json is false); without the focal length its depth has no metres. "
                "apple/DepthPro-hf has it"
            )
        check_folder_files(path, self._field)
        return path, revision

    def weights_digest(self, path: str) -> str:
        digest = folder_digest(path)
        check_pinned(digest, self.sha256, f"annotators.{self.name}.sha256")
        return digest

    def load(self, path: str, setup: Setup) -> LoadedModel:
        return _DepthPro(path, setup, self._field)

    @property
    def _field(self) -> str:
        return f"annotators.{self.name}.model"


def input_side(config: Any) -> int:
    """Pixels of a side of the model's square input: 1536 for the released model."""
    ratio: float = config.patch_size / min(config.scaled_images_ratios)
    return round(ratio)


class _DepthPro:
    def __init__(self, path: str, setup: Setup, field: str) -> None:
        self._setup = setup
        self._model = load_model("DepthProForDepthEstimation", path, setup, field)
        self._side = input_side(self._model.config)

    def prepare(self, picture: bytes, rule: SizeRule, max_pixels: int) -> View:
        import torch

        stored = inspect(picture, max_pixels)
        pixels = torch.from_numpy(np.array(prepare(stored, AsStored(), "convert").pixels))
        square = torch.nn.functional.interpolate(
            pixels.permute(2, 0, 1)[None].float(), size=(self._side, self._side), mode="bilinear"
        )
        rounded = square[0].permute(1, 2, 0).round().to(torch.uint8).contiguous().numpy()
        return View(rounded, rule.output_size(*stored.upright_size), stored.orientation)

    def run(self, views: Sequence[View]) -> Sequence[Any]:
        import torch

        with running(self._setup):
            pixels = torch.from_numpy(np.stack([view.pixels for view in views]))
            pixels = pixels.to(self._setup.device).permute(0, 3, 1, 2).float().div_(255)
            pixels = pixels.sub_(_CENTRE).div_(_CENTRE).to(self._model.dtype)
            predicted = self._model(pixel_values=pixels)
            canonical, views_of = predicted.predicted_depth.float(), predicted.field_of_view.float()
            return [
                (self._sized(inverse, angle, view.output), float(angle))
                for inverse, angle, view in zip(canonical, views_of, views, strict=True)
            ]

    def finish(self, view: View, result: Any) -> bytes:
        inverse, angle = result
        if not 0 < angle < 180:
            raise AnnotationError(f"the depth model predicts a field of view of {angle:g} degrees")
        focal_pixels = 0.5 * view.output[0] / math.tan(math.radians(angle) / 2)
        try:
            return encode_inverse_metres(inverse, focal_pixels)
        except AnnotationError as why:
            raise AnnotationError(f"the depth model's output: {why}") from why

    def _sized(self, canonical: Any, angle: Any, size: tuple[int, int]) -> Any:
        """Inverse depth [height, width] float32 in 1/m of the model's answer [H, W]."""
        import torch

        width_by_focal = 2 * torch.tan(0.5 * torch.deg2rad(angle))
        sized = torch.nn.functional.interpolate(
            (canonical * width_by_focal)[None, None], size=(size[1], size[0]), mode="bilinear"
        )
        return sized[0, 0].clamp(1 / _FARTHEST, 1 / NEAREST).cpu().numpy()
