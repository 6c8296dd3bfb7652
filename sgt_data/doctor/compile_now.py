"""Compile all that is compiled on its first call, by doing a little of all work that calls it."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image

from sgt_data.compiled import FUNCTIONS
from sgt_data.engine.build import build_corpus
from sgt_data.engine.cluster import IN_PROCESS
from sgt_data.errors import SgtDataError
from sgt_data.extras import LibraryMissing
from sgt_data.manifest.manifest import load_manifest
from sgt_data.pictures.normal_colours import normals_of_colours
from sgt_data.pictures.palette_png import decode_palette
from sgt_data.pictures.png_file import PALETTE, png_file
from sgt_data.pictures.resample import resized_pixels
from sgt_data.scenes.write_samples import write_samples
from sgt_data.scoring.score_drawings import score
from sgt_data.segmentation.label_map import paint
from sgt_data.segmentation.pixel_sampling import sample_grid
from sgt_data.segmentation.run_lengths import parse_masks
from sgt_data.segmentation.target_audit import audit_target
from sgt_data.stream.conversation_places import find_places
from sgt_data.subsets.open_corpus import open_corpus
from sgt_data.subsets.ranking import ranked
from sgt_data.verify.check_corpus import verify_corpus

_MANIFEST, _SCENES, _SIZE = "demo", 2, (320, 240)
_NOISES = "gaussian", "poisson"
_PACKAGE = "sgt_data."


def compiled_functions() -> list[Any]:
    """Every function of this package that numba compiles: the imports of this file bring them."""
    return [function for function in FUNCTIONS if function.__module__.startswith(_PACKAGE)]


def compile_now(announce: Callable[[str], None]) -> None:
    """Draw scenes, build every proxy of them, and read the targets back, in a folder that is
    removed again.

    Args:
        announce: called with what is done, in words.

    Raises:
        SgtDataError: the work failed.
    """
    with TemporaryDirectory(prefix="sgt-data-") as folder:
        announce("compiling: drawing scenes")
        write_samples(f"{folder}/sources", _SCENES, size=_SIZE)
        for number, noise in enumerate(_NOISES):
            announce("compiling: building every proxy")
            _build(Path(folder) / "sources", Path(folder) / str(number), noise)
        announce("compiling: reading targets and conversations")
        verify_corpus(f"{folder}/0", deep=True)
        announce("compiling: scoring drawings")
        _score(f"{folder}/0")
    for bits in (1, 2, 4, 8):
        for row_filter in (0, 1):
            decode_palette(_palette_png(bits, row_filter), 1)
    for shape in ((3, 3), (3, 3, 3)):
        resized_pixels(np.zeros(shape, np.uint8), (2, 2))
    pixels = np.zeros((2, 2, 3), np.uint8)
    audit_target(pixels, is_lossless=True)
    pixels.flags.writeable = False  # as those of a file; numba compiles both
    audit_target(pixels, is_lossless=True)
    normals_of_colours(np.zeros((1, 1, 3), np.uint8))
    masks = parse_masks([b"04"], 2, 2)
    for label in (1, 256):
        labels = np.array([label], np.uint16)
        paint(masks, np.zeros(1, np.int64), labels, sample_grid(2, 2, 2, 2))
    for text in (b'{"a": 1}\n', b'[{"a": 1}]'):
        find_places(np.frombuffer(text, np.uint8), "conversations")
    ranked(("a", "b"), np.arange(2, dtype=np.uint64), np.arange(2), np.ones(2, np.int64))


def _build(sources: Path, output: Path, noise: str) -> None:
    manifest = load_manifest(
        _MANIFEST,
        [
            f"sources.sa1b.tars={sources}/sa1b/*.tar",
            f"sources.sa1b.depth={sources}/depth",
            f"sources.coco.root={sources}/coco",
            f"sources.coco.depth={sources}/depth",
            f"sources.sa1b.normals={sources}/normals",
            f"sources.sa1b.intrinsics={sources}/intrinsics.json",
            "sources.coco.normals=null",  # so that normals are computed from depth
            f"sources.coco.intrinsics={sources}/intrinsics.json",
            "proxies.instance.palette=tab20",
            f"proxies.denoise.kinds=[{noise}]",
        ],
    )
    report = build_corpus(manifest, output, cluster=IN_PROCESS)
    if not report.succeeded:
        raise SgtDataError(f"the sample scenes cannot be built: {report}")


def _score(corpus: str) -> None:
    """Score the targets, smaller copies of them, and copies that are full of noise."""
    opened = open_corpus(corpus)
    for proxy in opened.proxies:
        targets = {sample.key: sample.target_image.convert("RGB") for sample in opened[proxy]}
        for copy in (_same, _smaller, _noisy):
            drawings = {key: copy(image) for key, image in targets.items()}
            with suppress(LibraryMissing):  # of the extra `score`; what needs it is not compiled
                score(corpus, drawings, proxy=proxy, processes=1)


def _same(image: Image.Image) -> Image.Image:
    return image


def _smaller(image: Image.Image) -> Image.Image:
    return image.resize((image.width // 2, image.height // 2), Image.Resampling.NEAREST)


def _noisy(image: Image.Image) -> Image.Image:
    half = image.resize((image.width // 2, image.height // 2)).resize(image.size)
    out = io.BytesIO()
    half.save(out, "JPEG", quality=30)
    return Image.open(out)


def _palette_png(bits: int, row_filter: int) -> bytes:
    """A picture of one pixel; Pillow, which would write it, filters no rows of indices."""
    data = zlib.compress(bytes((row_filter, 0)))
    return png_file((1, 1), bits, PALETTE, (b"PLTE", bytes(3)), (b"IDAT", data))
