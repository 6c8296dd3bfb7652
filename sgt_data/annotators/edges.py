"""Edges by models: DexiNed (Soria et al., 2020), a learned detector, and kornia's Sobel and Canny.

All give edges at the output size. The edge proxy computes Sobel and Canny itself, the same on every
CPU. kornia's versions run on GPUs and differ: Sobel in rounding (at most one grey level) and at the
picture's border (which kornia replicates and the proxy mirrors); Canny measures the gradient by its
Euclidean length, not by |x| + |y|, so that with equal thresholds it keeps fewer edges.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from sgt_data.annotators.base import (
    Annotator,
    LoadedModel,
    Setup,
    View,
)
from sgt_data.annotators.device import running
from sgt_data.annotators.weights import check_pinned, digest_of, find_file
from sgt_data.errors import AnnotationError, RequestError
from sgt_data.files.tensor_files import why_not_tensors
from sgt_data.pictures.decode_source import inspect, prepare
from sgt_data.pictures.size_rule import SizeRule
from sgt_data.records import Layer
from sgt_data.sources.dense_maps import encode_strength

if TYPE_CHECKING:
    import torch

Method = Literal["dexined", "sobel", "canny"]

DEXINED_WEIGHTS = "https://huggingface.co/kornia/dexined/resolve/main/DexiNed_BIPED_10.pth"
# what DexiNed was trained on: BGR, 0 to 255, less this mean
_DEXINED_MEAN = (103.939, 116.779, 123.68)
_LUMINANCE = (0.299, 0.587, 0.114)


class EdgesAnnotator(Annotator):
    """Annotator that provides edges.

    Examples:
        {type: edges}
        {type: edges, name: canny, method: canny}

    Attributes:
        method: the detector.
        weights: file or URL of DexiNed's weights (`.pth`); by default the published ones.
        sha256: digest that the weights must have, if they are to be checked.
        gain: of Sobel, as in the edge proxy.
        thresholds: of Canny, low and high, in the grey levels of the Sobel gradient.
    """

    layer: ClassVar[Layer] = "edges"
    places: ClassVar[frozenset[str]] = frozenset({"weights"})

    type: Literal["edges"] = "edges"
    name: str = "edges"
    method: Method = "dexined"
    weights: str | None = None
    sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$")
    gain: float = Field(0.5, gt=0, le=16)
    thresholds: tuple[float, float] = (100.0, 200.0)

    @model_validator(mode="after")
    def _fields_fit(self) -> EdgesAnnotator:
        if self.method != "dexined" and (self.weights or self.sha256):
            raise ValueError(f"{self.method} has no weights")
        if not 0 < self.thresholds[0] <= self.thresholds[1]:
            raise ValueError("thresholds are (low, high), above 0, the lower first")
        return self

    @property
    def look(self) -> str | None:
        return None if self.method == "dexined" else self.method

    def libraries(self) -> tuple[str, ...]:
        return ("kornia",)

    def find_weights(self) -> tuple[str, str | None]:
        if self.method != "dexined":
            return "", None
        return find_file(self.weights or DEXINED_WEIGHTS, f"annotators.{self.name}.weights"), None

    def weights_digest(self, path: str) -> str:
        if not path:
            return "none"
        digest = digest_of([path])
        check_pinned(digest, self.sha256, f"annotators.{self.name}.sha256")
        return digest

    def load(self, path: str, setup: Setup) -> LoadedModel:
        return _Edges(self, path, setup)


class _Edges:
    def __init__(self, annotator: EdgesAnnotator, path: str, setup: Setup) -> None:
        self._annotator, self._setup = annotator, setup
        learned = annotator.method == "dexined"
        self._network = _dexined(annotator, path, setup) if learned else None

    def prepare(self, picture: bytes, rule: SizeRule, max_pixels: int) -> View:
        stored = inspect(picture, max_pixels)
        upright = prepare(stored, rule, "convert")
        return View(upright.pixels, (upright.width, upright.height), stored.orientation)

    def run(self, views: Sequence[View]) -> Sequence[Any]:
        import torch

        with running(self._setup):
            pixels = torch.from_numpy(np.stack([view.pixels for view in views]))
            pixels = pixels.to(self._setup.device).permute(0, 3, 1, 2).float()
            return list(self._strength(pixels)[:, 0].clamp(0, 1).cpu().numpy())

    def finish(self, view: View, result: NDArray[np.float32]) -> bytes:
        if not np.isfinite(result).all():
            raise AnnotationError("the edge detector's output holds NaN or infinite values")
        return encode_strength(np.rint(result * 255).astype(np.uint8))

    def _strength(self, pixels: torch.Tensor) -> torch.Tensor:
        """RGB [N, 3, H, W], 0 to 255 -> [N, 1, H, W], 0 to 1."""
        import kornia.filters
        import torch

        if self._network is not None:
            mean = torch.tensor(_DEXINED_MEAN, device=pixels.device).view(1, 3, 1, 1)
            network_input = (pixels.flip(1) - mean).to(getattr(torch, self._setup.dtype))
            return torch.sigmoid(self._network(network_input).float())
        weights = torch.tensor(_LUMINANCE, device=pixels.device).view(1, 3, 1, 1)
        grey = (pixels * weights).sum(1, keepdim=True).round() / 255
        if self._annotator.method == "sobel":
            magnitude = kornia.filters.sobel(grey, normalized=False, eps=0.0)
            return magnitude * self._annotator.gain
        low, high = (threshold / 255 for threshold in self._annotator.thresholds)
        return kornia.filters.canny(grey, low, high, kernel_size=1)[1]


def _dexined(annotator: EdgesAnnotator, path: str, setup: Setup) -> torch.nn.Module:
    import torch
    from kornia.models.dexined import DexiNed

    field = f"annotators.{annotator.name}.weights"
    network = DexiNed(pretrained=False)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        network.load_state_dict(state)
    except Exception as why:  # torch raises many classes for a file that is no checkpoint
        raise RequestError(
            f"{field}: {path} holds no weights of DexiNed: {why_not_tensors(path, why)}"
        ) from why
    module: torch.nn.Module = network.to(setup.device, getattr(torch, setup.dtype)).eval()
    return module
