"""Stand-ins for libraries that trainers' data code imports and does not use for pictures."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import torch


def without_videos() -> None:
    """Make `import decord` succeed."""
    sys.modules["decord"] = SimpleNamespace()  # type: ignore[assignment]


def with_torchvision() -> Any:
    """Make `import torchvision` succeed where it has no operators for the installed torch.

    Returns:
        The library of their definitions, which last as long as it does.
    """
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        return library
    return None
