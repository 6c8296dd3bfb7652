"""Segment Anything (Kirillov et al., 2023): masks of all objects and parts, as SA-1B's JSON.

The masks are those of the automatic mask generator of `segment_anything`, whose parameters are the
fields of the annotator. The size of the model (vit_b, vit_l, vit_h) follows from the checkpoint. A
picture is segmented upright, and its masks are turned back to the stored pixels, to which SA-1B's
annotations belong.
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
from sgt_data.files.tensor_files import why_not_tensors
from sgt_data.pictures.decode_source import inspect, prepare
from sgt_data.pictures.size_rule import AsStored, SizeRule
from sgt_data.records import Layer
from sgt_data.segmentation.pixel_sampling import stored_frame

if TYPE_CHECKING:
    import torch

_WINDOW = 14
_IMAGE_TOKENS = 64  # 1024 pixels in patches of 16


class SamAnnotator(Annotator):
    """Annotator that provides masks by Segment Anything.

    The fields after `sha256` are those of the generator, with its defaults.

    Examples:
        {type: sam, checkpoint: /models/sam_vit_h_4b8939.pth}

    Attributes:
        checkpoint: file or URL, such as `sam_vit_b_01ec64.pth`.
        sha256: digest that the checkpoint must have, if it is to be checked.
        points_per_side: points of the grid along a side; the number of masks grows with its square.
        points_per_batch: points that are decoded at once; halved while memory is too small.
        pred_iou_thresh: least quality that the model predicts for a mask.
        stability_score_thresh: least IoU of the masks at a slightly higher and a slightly lower
            threshold.
        stability_score_offset: difference of these thresholds from the usual one, in logits.
        box_nms_thresh: box IoU above which the worse of two masks is dropped.
        crop_n_layers: layers of crops that are segmented again, each with 2 ** layer rows.
        crop_nms_thresh: box IoU above which the worse of two masks of different crops is dropped.
        crop_overlap_ratio: overlap of crops, as a share of the picture's shorter side.
        crop_n_points_downscale_factor: factor by which the grid is sparser in each further layer.
        min_mask_region_area: islands and holes of fewer pixels are removed.
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
        fields = set(SamAnnotator.model_fields) - set(Annotator.model_fields)
        return self.model_dump(include=fields - {"checkpoint", "sha256"})


class _Sam:
    def __init__(self, annotator: SamAnnotator, path: str, setup: Setup) -> None:
        self._annotator, self._setup = annotator, setup
        self._model = load_sam(path, f"annotators.{annotator.name}.checkpoint").to(setup.device)
        self._points = annotator.points_per_batch

    def prepare(self, picture: bytes, rule: SizeRule, max_pixels: int) -> View:
        stored = inspect(picture, max_pixels)
        upright = prepare(stored, AsStored(), "convert")
        return View(upright.pixels, (upright.width, upright.height), stored.orientation)

    def run(self, views: Sequence[View]) -> Sequence[Any]:
        return [self._generate(view.pixels) for view in views]

    def finish(self, view: View, result: list[dict[str, Any]]) -> bytes:
        height, width = view.pixels.shape[:2]
        if view.orientation >= 5:
            height, width = width, height
        masks = [_turned(mask, view.orientation) for mask in result if mask["area"] > 0]
        return orjson.dumps(
            {
                "image": {"width": width, "height": height},
                "annotations": [{"id": number, **mask} for number, mask in enumerate(masks, 1)],
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

        settings = self._annotator.generator_settings() | {"points_per_batch": self._points}
        generator = SamAutomaticMaskGenerator(self._model, **settings, output_mode="coco_rle")
        if self._setup.dtype != "float32":
            generator.predictor = _half_precision(self._model, self._setup)
        masks: list[dict[str, Any]] = generator.generate(pixels)
        return masks


def _half_precision(model: Any, setup: Setup) -> Any:
    """A predictor whose image encoder, nearly all of the work, runs in 16 bits; the mask decoder,
    where thresholds are applied, runs in 32."""
    import torch
    from segment_anything import SamPredictor

    class Predictor(SamPredictor):  # type: ignore[misc]
        def set_torch_image(self, *arguments: Any) -> None:
            with torch.autocast(setup.device, getattr(torch, setup.dtype)):
                super().set_torch_image(*arguments)
            self.features: torch.Tensor = self.features.float()

    return Predictor(model)


def _turned(record: dict[str, Any], orientation: int) -> dict[str, Any]:
    """A record of the generator in SA-1B's form, with its geometry in the stored frame."""
    encoded = record["segmentation"]
    if orientation == 1:
        counts = encoded["counts"]
        text = counts.decode() if isinstance(counts, bytes) else counts
        return {**record, "segmentation": {"size": list(encoded["size"]), "counts": text}}
    height, width = encoded["size"]
    mask = stored_frame(coco_mask.decode(encoded), orientation)
    turned = coco_mask.encode(np.asfortranarray(mask))
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    left, top = int(columns[0]), int(rows[0])
    corners = [_turned_point(point, width, height, orientation) for point in record["point_coords"]]
    x, y, across, down = record["crop_box"]
    ends = [
        _turned_point(point, width, height, orientation)
        for point in ((x, y), (x + across, y + down))
    ]
    lows, highs = np.min(ends, 0), np.max(ends, 0)
    return {
        **record,
        "segmentation": {"size": list(turned["size"]), "counts": turned["counts"].decode()},
        # max - min without + 1, as in SA-1B
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
    """Load the model of a checkpoint to the CPU; the checkpoint decides its size.

    Raises:
        RequestError: the file is no checkpoint of Segment Anything; the message names `field`.
    """
    import torch

    provide_torchvision_operators()
    from segment_anything.build_sam import _build_sam

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        model = _build_sam(**_dimensions(state))
        model.load_state_dict(state)
    except Exception as why:  # torch raises many classes for a file that is no checkpoint
        raise RequestError(
            f"{field}: {posixpath.basename(path)} is no checkpoint of segment_anything: "
            f"{why_not_tensors(path, why)}"
        ) from why
    return model.eval()


def _dimensions(state: Mapping[str, torch.Tensor]) -> dict[str, Any]:
    """The arguments of `_build_sam` that fit a checkpoint."""
    width = state["image_encoder.patch_embed.proj.weight"].shape[0]
    depth = 0
    global_blocks = []
    while (name := f"image_encoder.blocks.{depth}.attn.rel_pos_h") in state:
        spans, of_head = state[name].shape
        if spans == 2 * _IMAGE_TOKENS - 1:
            global_blocks.append(depth)
        elif spans != 2 * _WINDOW - 1:
            raise ValueError(f"block {depth} attends over {spans} places")
        depth += 1
    return {
        "encoder_embed_dim": width,
        "encoder_depth": depth,
        "encoder_num_heads": width // of_head,
        "encoder_global_attn_indexes": global_blocks,
    }
