"""How much a broken tar lost: one input, or a part whose size is not known, which is a failure.

A run of bytes that cannot be read, and that is no longer than the largest input of the tar, costs
one input: a row of the ledger. A longer run may have held many, and of a tar that ends early nobody
knows how much is missing: its slice fails. Where such tars are allowed, the number of lost inputs
is estimated from bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sgt_data.files.tar_walk import TarDamage
from sgt_data.sources.listed_tar import BrokenTar, ListedTar

_BLOCK = 512


def tar_bytes(size: int) -> int:
    """Bytes that a member of this size takes in a tar."""
    return _BLOCK + -(-size // _BLOCK) * _BLOCK


@dataclass(slots=True)
class BrokenRuns:
    """The broken places of a tar, while it is read.

    Attributes:
        tar: as it was listed.
        source: name of the source, for messages.
        truncated_allowed: whether a part of unknown size may be missing.
    """

    tar: ListedTar
    source: str
    truncated_allowed: bool
    _runs: list[tuple[int, TarDamage]] = field(default_factory=list)  # with number of the shard
    _largest: int = 0
    _total: int = 0
    _inputs: int = 0

    def measure(self, nbytes: int, more: int, inputs: int) -> None:
        """Note a member: bytes of its input so far, its own bytes, the number of inputs so far."""
        self._largest = max(self._largest, nbytes)
        self._total += more
        self._inputs = inputs

    def note(self, damage: TarDamage, shard: int) -> None:
        """Note damage that was met while a shard was read.

        Raises:
            BrokenTar: an unknown part of the tar is missing, and that is not allowed.
        """
        if damage.length is None and not (self.truncated_allowed and self._inputs):
            raise self._failure(damage)
        if damage.length != 0:
            self._runs.append((shard, damage))

    def lost(self, shard: int, position: int) -> int:
        """Estimated number of the inputs that a shard lost, beside those that its ledger names.

        Args:
            shard: its number.
            position: of the tar, up to which it is read.

        Raises:
            BrokenTar: a run was longer than one input, and that is not allowed.
        """
        estimate = 0.0
        for number, damage in self._runs:
            if damage.length is not None and damage.length <= self._largest:
                continue
            if not (self.truncated_allowed and self._inputs):
                raise self._failure(damage)
            if number != shard:
                continue
            if damage.length is None:
                missing = max(0, (self.tar.expected_bytes or 0) - position)
                estimate += missing * self._inputs / self._total
            else:
                estimate += damage.length * self._inputs / self._total - 1
        return round(estimate)

    def _failure(self, damage: TarDamage) -> BrokenTar:
        extent = "" if damage.length is None else f", {damage.length} bytes, more than one input"
        place = self.tar.url.split("?", 1)[0]  # what follows may be the signature of a link
        where = f"{place}, byte {damage.position}: {damage.reason}{extent}"
        if not self._inputs:
            return BrokenTar(
                f"{where}. No input of it can be read. Fetch the tar again and run the same "
                f"command, or leave it out of sources.{self.source}"
            )
        return BrokenTar(
            f"{where}. Nobody knows how many inputs are missing. Fetch the tar again and run the "
            f"same command; or set sources.{self.source}.allow_truncated: true to build from what "
            "is there"
        )
