"""SHA-256 of the pictures that a source holds, by shard and key: read, and not decoded."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sgt_data.engine.slice_tasks import SliceTask
from sgt_data.engine.stages import shards_to_do
from sgt_data.sources.base import Source
from sgt_data.sources.fetch_input import fetched


@dataclass(frozen=True, slots=True)
class PictureDigest:
    """A picture as a source holds it now.

    Attributes:
        member: its name within the source.
        sha256: of its file; None where the source cannot give it.
        problem: why it cannot.
    """

    member: str
    sha256: str | None
    problem: str | None = None


def picture_digests(
    task: SliceTask, source: Source, shard_samples: int
) -> Iterator[tuple[str, Mapping[str, PictureDigest]]]:
    """Read the pictures of the shards of a slice that a folder lacks.

    Args:
        task: the slice, and what of it is to be read.
        source: of the slice.
        shard_samples: inputs of a shard.

    Yields:
        Name of a shard, and its pictures by key; of a key that comes twice, the first.

    Raises:
        SourceError: the slice cannot be read just now.
    """
    for shard in shards_to_do(task, source, shard_samples):
        pictures: dict[str, PictureDigest] = {}
        for raw in shard.raw.inputs:
            digest = PictureDigest(raw.member, None, raw.problem)
            if raw.problem is None:
                whole = fetched(raw)
                digest = (
                    PictureDigest(raw.member, None, whole.problem)
                    if whole.problem
                    else PictureDigest(raw.member, hashlib.sha256(whole.picture).hexdigest())
                )
            pictures.setdefault(raw.key, digest)
        yield shard.raw.name, pictures
