"""Registry of the kinds of proxies.

A user's package adds its kinds through the entry point group `sgt_data.proxies`, whose values are
subclasses of `Proxy`.
"""

from __future__ import annotations

from functools import lru_cache

from sgt_data.plugins.kinds import Kinds
from sgt_data.proxies.base import Proxy
from sgt_data.proxies.boxes import BoxesProxy
from sgt_data.proxies.colorization import ColorizationProxy
from sgt_data.proxies.deblur import DeblurProxy
from sgt_data.proxies.denoise import DenoiseProxy
from sgt_data.proxies.depth import DepthProxy
from sgt_data.proxies.derain import DerainProxy
from sgt_data.proxies.each import EachProxy
from sgt_data.proxies.edge import EdgeProxy
from sgt_data.proxies.enhance import EnhanceProxy
from sgt_data.proxies.generate import GenerateProxy
from sgt_data.proxies.inpainting import InpaintingProxy
from sgt_data.proxies.legend import LegendProxy
from sgt_data.proxies.mae import MaeProxy
from sgt_data.proxies.metric_depth import MetricDepthProxy
from sgt_data.proxies.normals import NormalsProxy
from sgt_data.proxies.paired import PairedProxy
from sgt_data.proxies.reconstruction import ReconstructionProxy
from sgt_data.proxies.referring import ReferringProxy
from sgt_data.proxies.segmentation import SegmentationProxy
from sgt_data.proxies.super_resolution import SuperResolutionProxy


@lru_cache(maxsize=1)
def proxy_kinds() -> Kinds[Proxy]:
    """Classes of all kinds of proxies, by the `type` that a manifest gives."""
    built_in: dict[str, type[Proxy]] = {
        "boxes": BoxesProxy,
        "colorization": ColorizationProxy,
        "deblur": DeblurProxy,
        "denoise": DenoiseProxy,
        "depth": DepthProxy,
        "derain": DerainProxy,
        "each": EachProxy,
        "edge": EdgeProxy,
        "enhance": EnhanceProxy,
        "generate": GenerateProxy,
        "inpainting": InpaintingProxy,
        "legend": LegendProxy,
        "mae": MaeProxy,
        "metric_depth": MetricDepthProxy,
        "normals": NormalsProxy,
        "paired": PairedProxy,
        "reconstruction": ReconstructionProxy,
        "referring": ReferringProxy,
        "segmentation": SegmentationProxy,
        "super_resolution": SuperResolutionProxy,
    }
    return Kinds("sgt_data.proxies", Proxy, built_in)
