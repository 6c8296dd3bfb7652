"""What came of a join, and the pictures that stand in its way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

import orjson

from sgt_data.engine.drive import ShardResult
from sgt_data.files.urls import Location, plain
from sgt_data.files.writing import write_atomic
from sgt_data.publish.check_pictures import PictureDifference


@dataclass(slots=True, kw_only=True)
class JoinReport(ShardResult):
    """What came of a join.

    Failures are slices that cannot be read, and shards that would not be the original's.

    Attributes:
        copy: URL of the copy that lacks pictures.
        output: URL of the place that is completed.
        checked: number of pictures that were compared with the copy.
        differing: pictures that the sources lack, or have otherwise; nothing is written while there
            are any.
        fetched_shards: shards of targets that were fetched to `output` now, over all folders.
        totals: of what was put back, by folder; empty until all of it is there.
        dry_run: whether nothing was written because only the check was asked for.
    """

    copy: str
    output: str
    checked: int = 0
    differing: list[PictureDifference] = field(default_factory=list)
    fetched_shards: int = 0
    totals: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    dry_run: bool = False

    @property
    def succeeded(self) -> bool:
        """Whether the corpus is whole again; of a dry run, whether nothing stands in its way."""
        return not (self.failures or self.differing) and (self.complete or self.dry_run)

    @property
    def differing_by_kind(self) -> dict[str, int]:
        """Number of pictures that are missing, and of those that differ."""
        return dict(sorted(Counter(each.kind for each in self.differing).items()))

    def write_differences(self, file: Location) -> None:
        """Write a line of JSON for each picture that stands in the way.

        Raises:
            StorageError: the file cannot be written.
        """
        lines = [orjson.dumps(asdict(each)) + b"\n" for each in self.differing]
        write_atomic(plain(file), b"".join(lines))
