"""The drawn sample world: a seed in, scenes with exact masks and depth out, as SA-1B and COCO.

Writes files that sources read like any others; knows neither sources nor proxies.
"""

from sgt_data.scenes.scene import CATEGORIES, Scene, draw_scene
from sgt_data.scenes.write import SampleSummary, write_samples

__all__ = ["CATEGORIES", "SampleSummary", "Scene", "draw_scene", "write_samples"]
