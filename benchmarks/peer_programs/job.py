"""What a peer's program is asked to do, and the reading of SA-1B's tars.

A program is called as `python PROGRAM.py OUTPUT PAINTING TAR...`; every one builds on two cores.
"""

from __future__ import annotations

import os
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

from sample import Painting, sample
from webdataset import TarWriter

CORES = 2
BEGAN = "SGT_BENCHMARK_BEGAN"
"""Environment variable: a file that takes the time at which the first sample was begun."""

_BANK = Path(__file__).parents[2] / "sgt_data" / "prompts" / "segmentation_entity.txt"


@dataclass(frozen=True, slots=True)
class Job:
    """One build.

    Attributes:
        output: folder of the shards.
        painting: how masks are painted (see `sample`).
        tars: SA-1B tars.
        instructions: lines of which each sample gets one.
    """

    output: Path
    painting: Painting
    tars: tuple[str, ...]
    instructions: tuple[str, ...]

    @classmethod
    def of_arguments(cls) -> Job:
        """The job that the command line asks for."""
        output, painting, *tars = sys.argv[1:]
        if painting not in get_args(Painting):
            raise SystemExit(f"painting is {painting!r}; allowed: {', '.join(get_args(Painting))}")
        lines = _BANK.read_text().split("[train]")[1].split("[held-out]")[0].splitlines()
        instructions = tuple(line for line in lines if line)
        Path(output).mkdir(parents=True, exist_ok=True)
        return cls(Path(output), cast(Painting, painting), tuple(tars), instructions)

    def sample(self, image_id: str, picture: bytes, annotation: bytes) -> dict[str, Any]:
        """The sample of a picture and its annotation."""
        _note_first_sample()
        return sample(image_id, picture, annotation, self.instructions, self.painting)


def pairs(tar: str) -> Iterator[tuple[str, bytes, bytes]]:
    """Id, picture and annotation of each pair of a tar, in its order."""
    picture: tuple[str, bytes] | None = None
    with tarfile.open(tar) as members:
        for member in members:
            name = Path(member.name)
            body = members.extractfile(member)
            if body is None:
                continue
            if name.suffix == ".jpg":
                picture = name.stem, body.read()
            elif picture is not None and picture[0] == name.stem:
                yield *picture, body.read()


def write_shard(job: Job, tar: str) -> Path:
    """Write the samples of a tar as a shard, which gets its name when it is whole.

    A shard that is there is kept. `mtime` is fixed, so that two runs give the same bytes.
    """
    shard = job.output / Path(tar).name
    if not shard.exists():
        unfinished = shard.with_suffix(".part")
        with TarWriter(str(unfinished), encoder=False, mtime=0) as writer:
            for pair in pairs(tar):
                writer.write(job.sample(*pair))
        unfinished.rename(shard)
    return shard


def _note_first_sample() -> None:
    if file := os.environ.get(BEGAN):
        with suppress(FileExistsError), open(file, "x") as first:
            first.write(str(time.time()))
