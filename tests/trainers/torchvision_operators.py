"""Lets torchvision be imported beside a torch for CPUs, which lacks two operators it registers
kernels for; the scripts here detect nothing."""

from __future__ import annotations

import torch

_LIBRARY = torch.library.Library("torchvision", "FRAGMENT")
for _name in ("nms", "qnms"):
    _LIBRARY.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
