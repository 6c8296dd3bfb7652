"""Segment Anything (Kirillov et al., 2023): masks of everything, in SA-1B's own JSON form.

`segment_anything`'s automatic mask generator does the work; its parameters are the manifest's. The
model's size (vit_b, vit_l, vit_h) is read off the checkpoint. A picture is segmented upright, and
its masks turned back to the stored pixels, to which SA-1B's annotations belong.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import orjson
from numpy.typing import NDArray
from pycocotools import mask as coco_mask
from pydantic import Field

from sgt_data.annotators.base import (
    Annotator,
    LoadedModel,
    OutOfMemory,
    Setup,
    View,
)
from sgt_data.annotators.device import running
from sgt_data.annotators.torchvision_operators import provide_torchvision_operators
from sgt_data.annotators.weights import check_pinned, digest_of, find_file
from sgt_data.errors import RequestError
from sgt_data.pictures.prepare import inspect, prepare
from sgt_data.pictures.size_rule import AsStored, SizeRule
from sgt_data.records import Layer
from sgt_data.segmentation.sampling import stored_frame

if TYPE_CHECKING:
    import torch

_WINDOW = 14
_IMAGE_TOKENS = 64  # 1024 pixels in patches of 16


class SamAnnotator(Annotator):
    """See the module. Every field below `sha256` is the generator's own, with its default.

    Attributes:
        checkpoint: file or URL (`sam_vit_b_01ec64.pth` and the like).
        sha256: of the checkpoint, if it is to be checked.
        points_per_side: points of the grid along a side; masks grow with its square.
        points_per_batch: points decoded at once; halved while memory does not suffice.
        pred_iou_thresh: least quality that the model itself predicts.
        stability_score_thresh: least IoU of the mask cut a little higher and a little lower.
        stability_score_offset: that little, in the model's logits.
        box_nms_thresh: box IoU above which the worse of two masks is dropped.
        crop_n_layers: layers of crops that are segmented again, each with 2 ** layer rows.
        crop_nms_thresh: as `box_nms_thresh`, between crops.
        crop_overlap_ratio: overlap of crops, as a share of the picture's shorter side.
        crop_n_points_downscale_factor: how much sparser the grid is in each further layer.
        min_mask_region_area: islands and holes below so many pixels are removed.
    """

    layer: ClassVar[Layer] = "entities"
    gpu_batch: ClassVar[int] = 1
    places: ClassVar[frozenset[str]] = frozenset({"checkpoint"})

    type: Literal["sam"] = "sam"
    name: str = "sam"
    checkpoint: str
    sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$")
    points_per_side: int = Field(32, ge=1, le=256)
    points_per_batch: int = Field(64, ge=1)
    pred_iou_thresh: float = 0.88
    stability_score_thresh: float = 0.95
    stability_score_offset: float = 1.0
    box_nms_thresh: float = Field(0.7, ge=0, le=1)
    crop_n_layers: int = Field(0, ge=0, le=4)
    crop_nms_thresh: float = Field(0.7, ge=0, le=1)
    crop_overlap_ratio: float = Field(512 / 1500, ge=0, le=1)
    crop_n_points_downscale_factor: int = Field(1, ge=1)
    min_mask_region_area: int = Field(0, ge=0)

    def libraries(self) -> tuple[str, ...]:
        return ("segment-anything",)

    def find_weights(self) -> tuple[str, str | None]:
        return find_file(self.checkpoint, f"annotators.{self.name}.checkpoint"), None

    def weights_digest(self, path: str) -> str:
        digest = digest_of([path])
        check_pinned(digest, self.sha256, f"annotators.{self.name}.sha256")
        return digest

    def load(self, path: str, setup: Setup) -> LoadedModel:
        return _Sam(self, path, setup)

    def generator_settings(self) -> dict[str, Any]:
        """The arguments of `SamAutomaticMaskGenerator`."""
        taken = set(SamAnnotator.model_fields) - set(Annotator.model_fields)
        return self.model_dump(include=taken - {"checkpoint", "sha256"})


class _Sam:
    def __init__(self, config: SamAnnotator, path: str, setup: Setup) -> None:
        self._config, self._setup = config, setup
        self._model = load_sam(path, f"annotators.{config.name}.checkpoint").to(setup.device)
        self._points = config.points_per_batch

    def prepare(self, picture: bytes, rule: SizeRule, max_pixels: int) -> View:
        stored = inspect(picture, max_pixels)
        image = prepare(stored, AsStored(), "convert").image
        return View(np.asarray(image), image.size, stored.orientation)

    def run(self, views: Sequence[View]) -> Sequence[Any]:
        return [self._generate(view.pixels) for view in views]

    def finish(self, view: View, result: list[dict[str, Any]]) -> bytes:
        height, width = view.pixels.shape[:2]
        if view.orientation >= 5:
            height, width = width, height
        found = [_turned(one, view.orientation) for one in result if one["area"] > 0]
        return orjson.dumps(
            {
                "image": {"width": width, "height": height},
                "annotations": [{"id": number, **one} for number, one in enumerate(found, 1)],
            }
        )

    def _generate(self, pixels: NDArray[np.uint8]) -> list[dict[str, Any]]:
        while True:
            try:
                with running(self._setup):
                    return self._masks(pixels)
            except OutOfMemory:
                if self._points == 1:
                    raise
                self._points //= 2

    def _masks(self, pixels: NDArray[np.uint8]) -> list[dict[str, Any]]:
        from segment_anything import SamAutomaticMaskGenerator

        settings = self._config.generator_settings() | {"points_per_batch": self._points}
        generator = SamAutomaticMaskGenerator(self._model, **settings, output_mode="coco_rle")
        if self._setup.dtype != "float32":
            generator.predictor = _half_precision(self._model, self._setup)
        found: list[dict[str, Any]] = generator.generate(pixels)
        return found


def _half_precision(model: Any, setup: Setup) -> Any:
    """A predictor whose image encoder, nearly all of the work, runs in 16 bits; what follows stays
    in 32, where thresholds are applied."""
    import torch
    from segment_anything import SamPredictor

    class Predictor(SamPredictor):  # type: ignore[misc]
        def set_torch_image(self, *arguments: Any) -> None:
            with torch.autocast(setup.device, getattr(torch, setup.dtype)):
                super().set_torch_image(*arguments)
            self.features: torch.Tensor = self.features.float()

    return Predictor(model)


def _turned(found: dict[str, Any], orientation: int) -> dict[str, Any]:
    """A record of the generator as SA-1B has it, its geometry in the stored frame."""
    encoded = found["segmentation"]
    if orientation == 1:
        counts = encoded["counts"]
        text = counts.decode() if isinstance(counts, bytes) else counts
        return {**found, "segmentation": {"size": list(encoded["size"]), "counts": text}}
    height, width = encoded["size"]
    mask = stored_frame(coco_mask.decode(encoded), orientation)
    turned = coco_mask.encode(np.asfortranarray(mask))
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    left, top = int(columns[0]), int(rows[0])
    corners = [_turned_point(point, width, height, orientation) for point in found["point_coords"]]
    x, y, across, down = found["crop_box"]
    ends = [
        _turned_point(point, width, height, orientation)
        for point in ((x, y), (x + across, y + down))
    ]
    lows, highs = np.min(ends, 0), np.max(ends, 0)
    return {
        **found,
        "segmentation": {"size": list(turned["size"]), "counts": turned["counts"].decode()},
        # max - min without + 1, as SA-1B has it
        "bbox": [left, top, int(columns[-1]) - left, int(rows[-1]) - top],
        "point_coords": corners,
        "crop_box": [*lows.tolist(), *(highs - lows).tolist()],
    }


def _turned_point(point: Sequence[float], width: int, height: int, orientation: int) -> list[float]:
    """A point of the upright picture of `width` x `height`, in the stored frame."""
    x, y = point
    if orientation in (3, 4, 7, 8):
        y = height - y
    if orientation in (2, 3, 6, 7):
        x = width - x
    return [y, x] if orientation >= 5 else [x, y]


def load_sam(path: str, field: str) -> Any:
    """The model that a checkpoint holds, on the CPU, whatever its size.

    Raises:
        RequestError: it is no checkpoint of Segment Anything.
    """
    import torch

    provide_torchvision_operators()
    from segment_anything.build_sam import _build_sam

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        model = _build_sam(**_dimensions(state))
        model.load_state_dict(state)
    except Exception as why:  # torch raises what it likes for a file that is no checkpoint
        raise RequestError(
            f"{field}: {posixpath.basename(path)} is no checkpoint of segment_anything: "
            f"{why!s:.300}"
        ) from why
    return model.eval()


def _dimensions(state: Mapping[str, torch.Tensor]) -> dict[str, Any]:
    """The arguments of `_build_sam` that fit a checkpoint."""
    width = state["image_encoder.patch_embed.proj.weight"].shape[0]
    depth = 0
    everywhere = []
    while (name := f"image_encoder.blocks.{depth}.attn.rel_pos_h") in state:
        spans, of_head = state[name].shape
        if spans == 2 * _IMAGE_TOKENS - 1:
            everywhere.append(depth)
        elif spans != 2 * _WINDOW - 1:
            raise ValueError(f"block {depth} attends over {spans} places")
        depth += 1
    return {
        "encoder_embed_dim": width,
        "encoder_depth": depth,
        "encoder_num_heads": width // of_head,
        "encoder_global_attn_indexes": everywhere,
    }
