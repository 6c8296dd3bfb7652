"""ICC colour profiles: convert to sRGB (default), keep, or drop.

`convert` brings RGB, grey and CMYK pixels with a profile to sRGB (perceptual intent), `keep` leaves
RGB pixels as they are and embeds their profile in the output (other modes are converted), `drop`
takes the pixels as sRGB. A profile that cannot be read is ignored, as browsers do.
"""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Literal

from PIL import Image, ImageCms

IccRule = Literal["convert", "keep", "drop"]
IccOutcome = Literal["none", "srgb", "converted", "kept", "dropped", "unreadable"]


def to_srgb(
    image: Image.Image, profile: bytes | None, rule: IccRule
) -> tuple[Image.Image, IccOutcome, bytes | None]:
    """Bring pixels to sRGB by a rule.

    Args:
        image: pixels of mode L, RGB or CMYK.
        profile: the ICC profile of the file.
        rule: what to do with a profile.

    Returns:
        RGB pixels, what was done, and the profile to embed in the output (None: none).
    """
    if not profile:
        return _rgb(image), "none", None
    if rule == "drop":
        return _rgb(image), "dropped", None
    if rule == "keep" and image.mode == "RGB":
        return image, "kept", profile
    transform = _transform(profile, image.mode)
    if isinstance(transform, str):
        return _rgb(image), transform, None
    converted = ImageCms.applyTransform(image, transform)
    return converted if converted is not None else image, "converted", None


def _rgb(image: Image.Image) -> Image.Image:
    """The picture in RGB; itself where it is, as Pillow would copy it."""
    return image if image.mode == "RGB" else image.convert("RGB")


@lru_cache(maxsize=32)
def _transform(
    profile: bytes, mode: str
) -> ImageCms.ImageCmsTransform | Literal["srgb", "unreadable"]:
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if mode == "RGB" and "srgb" in ImageCms.getProfileDescription(opened).lower():
            return "srgb"
        return ImageCms.buildTransform(opened, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return "unreadable"
