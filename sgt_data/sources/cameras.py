"""Intrinsics of a source's pictures: one camera for all, or a JSON file with one for each.

A file is `{"fx": .., "fy": .., "cx": .., "cy": ..}` for one camera, or `{"pictures": {NAME: camera,
...}}`, where a name is the path of the picture with or without its suffix, or its last part where
no other picture has that. A camera may state `width` and `height` of the pixels that it is for.
"""

from __future__ import annotations

import hashlib
import math
import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field

from sgt_data.errors import AnnotationError, FileMissing, InputError, RequestError, SourceError
from sgt_data.files.outside_json import parse_json
from sgt_data.files.reading import read_bytes
from sgt_data.files.urls import absolute
from sgt_data.records import Intrinsics, RawInput
from sgt_data.sources.relative_paths import stem_of
from sgt_data.value_text import cut

ROLE = "intrinsics"
_NUMBERS = ("fx", "fy", "cx", "cy")
_FILE_BYTES_MAX = 1 << 30


class CameraFields(BaseModel):
    """One camera of all pictures of a source, as a manifest states it.

    Attributes:
        fx, fy: focal lengths, in pixels of the stored picture.
        cx, cy: where the viewing axis meets the picture; (0, 0) is the centre of the top left
            pixel.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    fx: float = Field(gt=0, allow_inf_nan=False)
    fy: float = Field(gt=0, allow_inf_nan=False)
    cx: float = Field(allow_inf_nan=False)
    cy: float = Field(allow_inf_nan=False)


@dataclass(frozen=True, slots=True)
class Cameras:
    """The cameras of a source, as they were read before the work began.

    Attributes:
        url: absolute URL of the file; empty where the manifest states one camera.
        digest: of the file's bytes, or of the camera.
        camera: JSON of the one camera of all pictures; empty where the file states one for each.
        shared_stems: see `dense_files.DenseFiles`.
    """

    url: str
    digest: str
    camera: bytes
    shared_stems: frozenset[str] | None


def list_cameras(
    intrinsics: CameraFields | str, field: str, shared_stems: frozenset[str] | None
) -> Cameras:
    """Read the cameras of a source.

    Args:
        intrinsics: the camera, or the URL of a file.
        field: of the manifest, for messages.
        shared_stems: see `dense_files.DenseFiles`.

    Raises:
        RequestError: there is no such file, or it states no cameras.
        SourceError: it cannot be read at present.
    """
    if isinstance(intrinsics, CameraFields):
        camera = orjson.dumps(intrinsics.model_dump())
        return Cameras("", _digest(camera), camera, shared_stems)
    url = absolute(intrinsics)
    try:
        data = read_bytes(url)
    except FileMissing as why:
        raise RequestError(
            f"{field}: {url}: there is no such file. Mount or fetch it, or say where it lies with "
            f"--set {field}=URL"
        ) from why
    try:
        document = _document(data, url)
    except InputError as why:
        raise RequestError(f"{field}: {why}") from why
    camera = b"" if "pictures" in document else orjson.dumps(document)
    return Cameras(url, _digest(data), camera, shared_stems)


def with_cameras(inputs: Iterable[RawInput], cameras: Cameras) -> tuple[RawInput, ...]:
    """The inputs with the JSON of their camera as the layer `intrinsics`.

    Raises:
        SourceError: the file is not as it was read before.
    """
    return tuple(_with_camera(raw, cameras) for raw in inputs)


def parse_camera(data: bytes, size: tuple[int, int]) -> Intrinsics:
    """The camera of a picture.

    Args:
        data: JSON of a camera.
        size: width and height of the stored picture.

    Raises:
        AnnotationError: it is no camera, or one for pixels of another size.
    """
    try:
        document = parse_json(data, ROLE)
        numbers = [document[name] for name in _NUMBERS]
    except (InputError, KeyError, TypeError) as why:
        raise AnnotationError(
            f"{ROLE}: found {cut(data, 60)}; right are fx, fy, cx and cy in pixels"
        ) from why
    for name, number in zip(_NUMBERS, numbers, strict=True):
        is_number = isinstance(number, int | float) and not isinstance(number, bool)
        if not is_number or not math.isfinite(number) or (name in ("fx", "fy") and number <= 0):
            raise AnnotationError(f"{ROLE}: {name} is {cut(number, 40)}, not a length in pixels")
    stated = document.get("width", size[0]), document.get("height", size[1])
    if stated != size:
        raise AnnotationError(
            f"{ROLE}: the camera is for {cut(stated[0], 20)}x{cut(stated[1], 20)} pixels; the "
            f"picture is stored with {size[0]}x{size[1]}"
        )
    return Intrinsics(*map(float, numbers))


def _with_camera(raw: RawInput, cameras: Cameras) -> RawInput:
    camera = cameras.camera
    if not camera:
        by_name = _pictures(cameras.url, cameras.digest)
        stated = next((by_name[name] for name in _names(raw, cameras) if name in by_name), None)
        if stated is None:
            why = f"{ROLE}: {cameras.url} states no camera of {raw.member}"
            return replace(raw, layer_problems={**raw.layer_problems, ROLE: why})
        camera = orjson.dumps(stated)
    return replace(raw, layer_bytes={**raw.layer_bytes, ROLE: camera})


def _names(raw: RawInput, cameras: Cameras) -> Iterable[str]:
    """What a file may call a picture, the whole path first."""
    path = posixpath.normpath(raw.member)
    yield path
    yield posixpath.splitext(path)[0]
    known = cameras.shared_stems is not None or posixpath.dirname(path) == ""
    if known and stem_of(path) not in (cameras.shared_stems or ()):
        yield posixpath.basename(path)
        yield stem_of(path)


@lru_cache(maxsize=4)
def _pictures(url: str, digest: str) -> Mapping[str, Any]:
    """The cameras of a file by name of the picture.

    Raises:
        SourceError: the file is not as it was read before.
    """
    data = read_bytes(url)
    if _digest(data) != digest:
        raise SourceError(f"{url} is not as it was when the build began; begin another one")
    pictures: Mapping[str, Any] = _document(data, url)["pictures"]
    return pictures


def _document(data: bytes, url: str) -> Mapping[str, Any]:
    """The document of a file of cameras.

    Raises:
        InputError: it is none.
    """
    if len(data) > _FILE_BYTES_MAX:
        raise InputError(f"{url} has {len(data):,} bytes, more than cameras take")
    document = parse_json(data, url)
    if isinstance(document, dict):
        if isinstance(document.get("pictures"), dict):
            return document
        if all(name in document for name in _NUMBERS):
            return document
    raise InputError(
        f'{url} states no cameras; right is {{"fx": .., "fy": .., "cx": .., "cy": ..}}, or '
        '{"pictures": {NAME: such a camera, ...}}'
    )


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()[:32]}"
