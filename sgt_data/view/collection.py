"""What a page shows: a corpus, a subset of one, or an export."""

from __future__ import annotations

from collections.abc import Collection as Names
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from sgt_data.view.gradual_work import GradualWork
from sgt_data.view.ledgers import Ledgers
from sgt_data.view.sample_table import SampleTable

Kind = Literal["corpus", "subset", "export"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sample is.

    Attributes:
        proxy: its proxy, or the folder of the shared inputs.
        shard: name of the shard.
        key: of the sample.
    """

    proxy: str
    shard: str
    key: str


@dataclass(frozen=True, slots=True)
class Holder:
    """Whether a proxy has a sample of a key.

    Attributes:
        proxy: the proxy.
        holds: whether it has one.
        reason: why not, as the quarantine ledger says; empty where it does not say.
    """

    proxy: str
    holds: bool
    reason: str = ""


class Collection(Protocol):
    """Samples by proxy, in shards, read only as far as somebody asks. Any thread may ask."""

    kind: Kind
    url: str
    proxies: tuple[str, ...]

    def overview(self) -> dict[str, Any]:
        """Totals by proxy and source, and what a person should know, as JSON."""
        ...

    def table(self, proxy: str) -> SampleTable:
        """The samples of a proxy, as far as they are read.

        Raises:
            RequestError: there is no such proxy.
        """
        ...

    def reading(self, proxy: str) -> GradualWork:
        """The work that reads the rest of a proxy's samples into its table."""
        ...

    def load(self, proxy: str, number: int) -> None:
        """Read one shard into the table of a proxy, ahead of the others."""
        ...

    def members(self, place: Place, names: Names[str]) -> Mapping[str, bytes]:
        """Stored members of a sample (`input`, `target`, `instruction`, `facts`), by name.

        Raises:
            RequestError: there is no such sample.
            CorpusError: it is damaged.
            SourceError: it cannot be read just now.
        """
        ...

    def missing_input(self, proxy: str) -> str:
        """Why the samples of a proxy have no input to show; empty where they have."""
        ...

    def holders(self, shard: str, key: str) -> Sequence[Holder]:
        """Which proxies have a sample of a key: proxies line up."""
        ...

    def ledgers(self) -> Ledgers:
        """The rejected inputs."""
        ...
