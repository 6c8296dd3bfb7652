"""The embedded sample source: scenes that we draw, with exact masks, categories and depth."""

from sgt_data.sources.synthetic.scene import CATEGORIES, Scene, draw_scene
from sgt_data.sources.synthetic.write import SampleSummary, write_samples

__all__ = ["CATEGORIES", "SampleSummary", "Scene", "draw_scene", "write_samples"]
