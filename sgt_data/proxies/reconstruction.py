"""The reconstruction proxy: picture -> the same picture, a control for all other proxies."""

from __future__ import annotations

from typing import ClassVar, Literal

from sgt_data.proxies.base import Subject
from sgt_data.proxies.restoration_base import RestorationProxy
from sgt_data.records import DrawnTarget


class ReconstructionProxy(RestorationProxy):
    """Proxy whose input and target are the same bytes.

    Target:
        The input itself, a JPEG.

    Examples:
        {type: reconstruction}
    """

    degrades: ClassVar[bool] = False

    type: Literal["reconstruction"] = "reconstruction"
    name: str = "reconstruction"

    def draw(self, subject: Subject) -> DrawnTarget:
        return DrawnTarget(subject.clean(), "jpg", {"degradation": {"kind": "none"}})
