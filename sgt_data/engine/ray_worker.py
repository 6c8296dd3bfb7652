"""What a worker of a Ray of this machine loads before it has work: Ray Data, the stages of a build,
and the compiled code of a smallest mask. Meanwhile the driver plans."""

from __future__ import annotations

import numpy as np

import sgt_data.engine.build_stages
import sgt_data.engine.ray_graph  # noqa: F401
from sgt_data.segmentation.label_map import paint
from sgt_data.segmentation.pixel_sampling import sample_grid
from sgt_data.segmentation.run_lengths import parse_masks


def _load_compiled_code() -> None:
    masks = parse_masks([b"04"], 2, 2)
    paint(masks, np.zeros(1, np.int64), np.ones(1, np.uint16), sample_grid(2, 2, 2, 2))


_load_compiled_code()
