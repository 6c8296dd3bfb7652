"""Read the file of a manifest, or a manifest that comes with the package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sgt_data.errors import FileMissing, ManifestError, SourceError
from sgt_data.files.reading import read_bytes
from sgt_data.files.urls import absolute
from sgt_data.manifest.corpus_manifest import is_corpus_file, manifest_of_corpus
from sgt_data.manifest.places import folder_of
from sgt_data.shipped_manifests import is_manifest_name, no_manifest_file, shipped_manifest
from sgt_data.yaml_text import found_instead, parse_yaml


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """What a manifest's file holds.

    Attributes:
        data: its fields, not validated yet.
        where: the file, for messages.
        folder: in which its relative paths lie; empty for the current one.
    """

    data: dict[str, Any]
    where: str
    folder: str


def read_manifest_file(path: str) -> ManifestFile:
    """Read a manifest.

    Args:
        path: fsspec URL of a YAML file, the name of a shipped manifest, or the `corpus.json` of a
            corpus that was built.

    Raises:
        ManifestError: there is no such file or name, or it holds no fields.
        SourceError: the file cannot be read at present.
    """
    text: bytes | str
    if is_manifest_name(path):
        text, folder = shipped_manifest(path), ""
    elif is_corpus_file(path):
        return ManifestFile(manifest_of_corpus(_read(path), path), path, "")
    else:
        text, folder = _read(path), folder_of(path)
    data = parse_yaml(text, path)
    if not isinstance(data, dict):
        raise ManifestError(
            f"{path}: {found_instead(data)}; a manifest is a mapping, `field: value`"
        )
    return ManifestFile(data, path, folder)


def _read(path: str) -> bytes:
    try:
        return read_bytes(path)
    except FileMissing as why:
        raise no_manifest_file(absolute(path), why) from why
    except SourceError as why:
        if isinstance(why.__cause__, IsADirectoryError):
            raise ManifestError(f"{path} is a folder; a manifest is a YAML file") from why
        raise
