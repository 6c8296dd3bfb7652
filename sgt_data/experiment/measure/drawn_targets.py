"""All targets that a run generated for a split, kept as PNG files that `sgt-data score` reads."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from sgt_data.experiment.measure.drawn_examples import to_pixels
from sgt_data.experiment.measure.fidelity import GeneratedTarget
from sgt_data.experiment.measure.held_out import HeldOutSample
from sgt_data.files.writing import write_atomic


def write_drawn_targets(
    folder: Path, samples: Sequence[HeldOutSample], targets: Sequence[GeneratedTarget]
) -> None:
    """Write the generated target of each sample, `KEY.png`, of 8 bits a channel.

    The experiment measures the generated numbers themselves; what the files show differs by up to
    half a level of 255.

    Args:
        folder: of one proxy.
        samples: for which was drawn.
        targets: what was drawn, in the same order.
    """
    for sample, target in zip(samples, targets, strict=True):
        out = io.BytesIO()
        Image.fromarray(to_pixels(target.generated)).save(out, "PNG")
        write_atomic(str(folder / f"{sample.key}.png"), out.getvalue())
