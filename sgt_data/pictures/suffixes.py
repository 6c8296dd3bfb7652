"""File name suffixes of the picture formats that sources and streams read."""

from __future__ import annotations

PICTURE_SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif",
    ".png", ".apng",
    ".webp",
    ".gif",
    ".bmp", ".dib",
    ".tif", ".tiff",
    ".ppm", ".pgm", ".pbm", ".pnm",
    ".avif",
)  # fmt: skip
"""In lower case; names are compared without regard to case. The formats are those of
`decode_source.FORMATS`."""

UNREAD_PICTURE_SUFFIXES = (
    ".heic", ".heif", ".hif",
    ".jxl", ".jp2", ".j2k", ".jpx", ".jxr",
    ".cr2", ".cr3", ".nef", ".arw", ".dng", ".orf", ".raf", ".rw2",
    ".psd", ".svg", ".eps", ".pdf", ".tga", ".exr", ".hdr", ".ico",
)  # fmt: skip
"""Suffixes of pictures that are not read: their decoders are not in Pillow, run programs, or give
other pixels on other processors."""
