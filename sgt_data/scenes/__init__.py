"""Drawn sample scenes: pictures with exact masks, depth and normals, as SA-1B and as COCO.

May know files. Its output is read like any other data: it knows neither sources nor proxies.
"""

from sgt_data.scenes.scene import CATEGORIES, Scene, draw_scene
from sgt_data.scenes.write_samples import SampleSummary, write_samples

__all__ = ["CATEGORIES", "SampleSummary", "Scene", "draw_scene", "write_samples"]
