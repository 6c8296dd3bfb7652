"""File name suffixes of the picture formats that sources and streams read."""

from __future__ import annotations

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
"""In lower case; names are compared without regard to case."""
