"""What a source is: configured by the manifest, listed once, then read slice by slice."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, field_validator

from sgt_data.errors import AnnotationError
from sgt_data.names import checked_name
from sgt_data.records import (
    Annotation,
    DenseLayer,
    DenseMap,
    Inventory,
    Layer,
    RawInput,
    RawShard,
    Slice,
)
from sgt_data.sources.dense_maps import parse_dense

_NOT_IN_KEYS = re.compile(r"[^A-Za-z0-9_-]")


class Source(BaseModel):
    """Base of every source's part of the manifest. Subclasses are sources: they list and read.

    Attributes:
        type: which kind of source, the key of the registry.
        name: prefix of its keys and shards; unique in a manifest.
        depth: a folder of 16-bit grey PNGs of inverse depth (near is large, 0 infinitely far), one
            per picture, named like it and of its stored size.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str
    name: str
    depth: str | None = None

    # a validator, as subclasses that give a default would lose a constraint of the field
    _name_fits = field_validator("name")(checked_name)

    places: ClassVar[frozenset[str]] = frozenset({"depth"})
    """Fields that say where something lies. They are no part of a corpus's identity: the same
    inputs may move."""

    keys_differ: ClassVar[bool] = False
    """True where the inventory itself makes sure that no two inputs share a key."""

    def layers(self) -> frozenset[Layer]:
        """What its annotations say of segments; empty for plain pictures."""
        raise NotImplementedError

    def offers(self) -> frozenset[Layer]:
        """Everything that it says of its pictures."""
        return self.layers() | {"depth"} if self.depth else self.layers()

    def inventory(self, shard_samples: int) -> Inventory:
        """List what there is. May read indexes and annotation files, no pictures.

        Raises:
            SourceError, RequestError: it cannot be listed.
        """
        raise NotImplementedError

    def read(self, piece: Slice, shard_samples: int, skip: Collection[str]) -> Iterator[RawShard]:
        """Read a slice in order, cut into shards; those named in `skip` need not be read.

        Raises:
            SourceError: the slice cannot be read (any more) just now.
        """
        raise NotImplementedError

    def annotation(self, raw: RawInput, layer: Layer) -> Annotation | None:
        """Parse what an input says about `layer`; None where the source says nothing.

        Raises:
            AnnotationError: what it says cannot be right.
        """
        raise NotImplementedError

    def dense(self, raw: RawInput, layer: DenseLayer) -> DenseMap:
        """Read what lies beside an input about `layer`.

        Raises:
            AnnotationError: it is missing, or no such map.
        """
        if layer in raw.layer_problems:
            raise AnnotationError(raw.layer_problems[layer])
        return parse_dense(raw.layer_bytes[layer])


def key_of(source: str, identity: str) -> str:
    """`<source>_<id>`, with every character but letters, digits, `_` and `-` replaced by `-`."""
    return f"{source}_{_NOT_IN_KEYS.sub('-', identity)}"
