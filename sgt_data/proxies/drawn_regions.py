"""Whether the regions of a decoded target are those that its facts state."""

from __future__ import annotations

from sgt_data.segmentation.label_map import visible_regions
from sgt_data.segmentation.target_png import DecodedSegmentation


def region_problems(decoded: DecodedSegmentation) -> list[str]:
    """A sentence for each label whose visible area or box is not what its facts state."""
    areas, boxes = visible_regions(decoded.labels, len(decoded.segments))
    return [
        f"label {label} has {area} pixels in box {box}; its facts say "
        f"{segment.get('visible_area')} in {segment.get('visible_box')}"
        for label, (segment, area, box) in enumerate(
            zip(decoded.segments, areas.tolist(), boxes.tolist(), strict=True), 1
        )
        if (segment.get("visible_area"), segment.get("visible_box")) != (area, box)
    ]
