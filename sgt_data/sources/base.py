"""Base class of sources, which are listed once and then read slice by slice."""

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
    """Base class of the sources of a manifest. A subclass lists what there is, reads and parses it.

    Attributes:
        type: kind of source, the key of the registry.
        name: prefix of its keys and shards; unique in a manifest.
        depth: folder of 16-bit grey PNGs of inverse depth (near is large, 0 infinitely far), one
            for each picture, with its name and its stored size.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str
    name: str
    depth: str | None = None

    # a validator, as subclasses that give a default would lose a constraint of the field
    _name_fits = field_validator("name")(checked_name)

    places: ClassVar[frozenset[str]] = frozenset({"depth"})
    """Names of the fields that hold places (URLs, folders). They are no part of the identity of a
    corpus: the same inputs may move."""

    tolerances: ClassVar[frozenset[str]] = frozenset()
    """Names of the fields that say what a build may lack. They are no part of its identity."""

    keys_differ: ClassVar[bool] = False
    """Whether the inventory itself makes sure that no two inputs have the same key."""

    def layers(self) -> frozenset[Layer]:
        """The layers of segments that its annotations hold; empty for plain pictures."""
        raise NotImplementedError

    def offers(self) -> frozenset[Layer]:
        """All layers that it has, dense ones included."""
        return self.layers() | {"depth"} if self.depth else self.layers()

    def inventory(self, shard_samples: int) -> Inventory:
        """List the inputs as slices. Indexes and annotation files may be read, pictures may not.

        Args:
            shard_samples: inputs of a shard.

        Raises:
            SourceError, RequestError: the source cannot be listed.
        """
        raise NotImplementedError

    def read(self, piece: Slice, shard_samples: int, skip: Collection[str]) -> Iterator[RawShard]:
        """Read a slice in order, cut into shards.

        Args:
            piece: the slice.
            shard_samples: inputs of a shard.
            skip: names of the shards that need not be read.

        Raises:
            SourceError: the slice cannot be read at present.
        """
        raise NotImplementedError

    def annotation(self, raw: RawInput, layer: Layer) -> Annotation | None:
        """Parse a layer of segments of an input; None where the source has none for it.

        Raises:
            AnnotationError: the annotation cannot be right.
        """
        raise NotImplementedError

    def dense(self, raw: RawInput, layer: DenseLayer) -> DenseMap:
        """Parse a dense layer of an input.

        Raises:
            AnnotationError: the layer is missing, or is no such map.
        """
        if layer in raw.layer_problems:
            raise AnnotationError(raw.layer_problems[layer])
        return parse_dense(raw.layer_bytes[layer])


def key_of(source: str, identity: str) -> str:
    """Key of a sample, `<source>_<id>`; characters but letters, digits, `_` and `-` become `-`."""
    return f"{source}_{_NOT_IN_KEYS.sub('-', identity)}"
