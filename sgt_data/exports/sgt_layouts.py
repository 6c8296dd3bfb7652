"""Folders and file names that SGT's released loaders (BAGEL, OmniGen2) expect.

The loaders get the path of an input picture and derive the path of its target: they replace the
name of a folder, and `jpg` by `png`, wherever these stand in the path. JPEG targets are therefore
named `.jpeg`, and so are their input pictures: `jpeg` does not contain `jpg`, so the rule leaves
the extension alone, and every extension names the real format. A reversed sample has a PNG as input
and a JPEG as target; no two names of their formats follow the rule, so both files end in `.image`,
and the loaders, which open pictures by their content, read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Form = Literal["bagel", "omnigen2"]
"""The trainer whose layout an export has."""

_EXTENSIONS = {"png": ("jpg", "png"), "jpg": ("jpeg", "jpeg")}


@dataclass(frozen=True, slots=True)
class Layout:
    """Folders of a proxy's pictures, relative to the proxy's own folder.

    Attributes:
        pictures: folder of the input pictures.
        targets: folder of the targets.
    """

    pictures: str
    targets: str

    def names(self, key: str, extension: str, given: str = "jpg") -> tuple[str, str]:
        """Paths of a sample's input picture and target, relative to the proxy's folder.

        Args:
            key: key of the sample.
            extension: format of its target, `png` or `jpg`.
            given: format of its input, `png` or `jpg`.
        """
        picture, target = _EXTENSIONS[extension] if given == "jpg" else ("image", "image")
        return f"{self.pictures}/{key}.{picture}", f"{self.targets}/{key}.{target}"

    def target_of(self, picture: str) -> str:
        """Path at which the released loaders look for the target of an input picture."""
        return picture.replace(self.pictures, self.targets).replace("jpg", "png")


LAYOUTS: Mapping[Form, Layout] = {
    "bagel": Layout("sam_selection", "sam_mask"),
    "omnigen2": Layout("train2017", "annotations/panoptic_train2017"),
}
