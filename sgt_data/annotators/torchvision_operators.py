"""Make torchvision importable where it has no compiled operators for the installed torch.

`segment_anything` imports torchvision, and so does `transformers` where it is installed. A wheel of
torchvision is built for one version of torch: with another (a CPU build, for example) its compiled
library does not load, and its import fails because the operators `nms` and `qnms` are not defined.
This module defines them in plain torch, so that the import succeeds and non-maximum suppression
runs on any device.
"""

from __future__ import annotations

import importlib.util
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import torch

_SIGNATURE = "{}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


@lru_cache(maxsize=1)
def provide_torchvision_operators() -> Any:
    """Import torchvision where it is installed; define its operators first where they are missing.

    Returns:
        The library that holds the definitions, which last as long as it does; None where nothing
        had to be defined.
    """
    if "torchvision" in sys.modules or importlib.util.find_spec("torchvision") is None:
        return None
    import torch

    try:
        import torchvision

        return None
    except RuntimeError as why:
        if "torchvision::" not in str(why):
            raise
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    library: Any = cast(Any, torch.library).Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(_SIGNATURE.format(name))
    library.impl("nms", non_maximum_suppression, "CompositeExplicitAutograd")
    import torchvision.extension

    # its functions ask this before they call an operator; at import there was none
    torchvision.extension._has_ops = lambda: True
    return library


def non_maximum_suppression(
    boxes: torch.Tensor, scores: torch.Tensor, iou_threshold: float
) -> torch.Tensor:
    """Indices of the boxes that are kept, the best first.

    A box is dropped where it overlaps a better one that is kept by more than `iou_threshold`.

    Args:
        boxes: [N, 4] (left, top, right, bottom).
        scores: [N].
        iou_threshold: intersection over union, 0 to 1.

    Returns:
        [K] int64. Equal scores keep their order, as with torchvision's CPU kernel.
    """
    import torch

    order = scores.argsort(descending=True, stable=True)
    left, top, right, bottom = boxes[order].unbind(1)
    areas = (right - left) * (bottom - top)
    dropped = torch.zeros(len(order), dtype=torch.bool, device=boxes.device)
    kept = []
    for index in range(len(order)):
        if dropped[index]:
            continue
        kept.append(index)
        rest = slice(index + 1, None)
        width = (right[rest].minimum(right[index]) - left[rest].maximum(left[index])).clamp(min=0)
        height = (bottom[rest].minimum(bottom[index]) - top[rest].maximum(top[index])).clamp(min=0)
        shared = width * height
        dropped[rest] |= shared / (areas[rest] + areas[index] - shared) > iou_threshold
    return order[torch.tensor(kept, dtype=torch.int64, device=boxes.device)]
