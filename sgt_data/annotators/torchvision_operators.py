"""Let torchvision be imported where it has no compiled operators for the installed torch.

`segment_anything` imports torchvision, and `transformers` does wherever it finds it. torchvision's
wheels are built for one torch: beside another (a CPU build, say) its compiled library does not
load, and its import fails at once, since it describes the operators `nms` and `qnms` that nobody
has defined. Defined here in plain torch they let the import go through, and non-maximum suppression
run on any device.
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
    """Import torchvision if it is there; define its missing operators first if it needs them.

    Returns:
        The library that holds the definitions (which last as long as it does), or None.
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

    # its functions ask this before they call an operator; at import they found none
    torchvision.extension._has_ops = lambda: True
    return library


def non_maximum_suppression(
    boxes: torch.Tensor, scores: torch.Tensor, iou_threshold: float
) -> torch.Tensor:
    """Indices of the boxes kept, best first: each is dropped that overlaps a better kept one by
    more than `iou_threshold`.

    Args:
        boxes: [N, 4] (left, top, right, bottom).
        scores: [N].
        iou_threshold: intersection over union, 0 to 1.

    Returns:
        [K] int64. Ties keep their order, as torchvision's CPU kernel does.
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
