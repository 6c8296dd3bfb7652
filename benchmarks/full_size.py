"""Commands over a finished corpus of SA-1B's full size: seconds, and memory of the largest process.

    python benchmarks/full_size.py [--shards 4400 | --full] [--folder FOLDER] [--json FILE]

The corpus is that of `full_size_corpus.py`, whose tars are holes, so no picture is read; `--folder`
keeps it for the next run. Each command runs in a process of its own. Memory is the peak of its
resident memory, with that of the packages; rows tell what these alone take. By default a tenth of
SA-1B is taken, which ends within four minutes on two cores; `--full` takes 44,000 shards and 1.6 GB
of disk. A report cannot show samples of such a corpus: it writes all else, and ends with 1.

A copy needs real tars: it is taken, shard by shard, of a corpus whose tars are links to one real
tar of eight small samples, with a fifth as many shards as the other (`--no-copy` leaves it out).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from full_size_corpus import SHARDS, write_full_size_corpus
from measuring import Cell, report, verdict
from stream_corpora import linked

MEGABYTES_MAX = 1500.0
_SUBSET = "a-quarter.subset.parquet"
_COPIED_SAMPLES, _COPIED_SHARE = 8, 5
_OPEN_STREAM = (
    "import sys; from sgt_data import Stream; "
    "Stream({sys.argv[1]: ['segmentation']}, batch_size=32)"
)
_LOAD = "import sgt_data.cli.app, sgt_data.subsets.subset, sgt_data.verify.check_corpus"
_LOAD_STREAM = "from sgt_data import Stream"


def commands(corpus: str, folder: Path) -> dict[str, Sequence[str]]:
    """Arguments of `sgt-data` by the name of a row; later ones read what earlier ones wrote."""
    quarter = str(folder / _SUBSET)

    def scale(file: str, *options: str) -> Sequence[str]:
        return ["scale", corpus, *options, "--file", str(folder / f"{file}.subset.parquet")]

    return {
        "info": ["info", corpus],
        "verify": ["verify", corpus],
        "scale --fraction 0.25": ["scale", corpus, "--fraction", "0.25", "--file", quarter],
        "scale --fraction 1": scale("all", "--fraction", "1"),
        "scale --where, --strata segments": scale(
            "where", "--where", "segments > 40 AND width > height", "--strata", "segments"
        ),
        "scale --shards": scale("shards", "--shards", "--fraction", "0.25"),
        "scale of the subset": ["scale", quarter, "--fraction", "0.4",
                                "--file", str(folder / "tenth.subset.parquet")],
        "verify the subset": ["verify", quarter],
        "info of the subset": ["info", quarter],
        "report": ["report", corpus, "-o", str(folder / "report.html")],
    }  # fmt: skip


def measure(command: Sequence[str], may_fail: bool = False) -> tuple[float, float]:
    """Seconds of a command, and megabytes of its largest process.

    Raises:
        SystemExit: it fails.
    """
    began = time.perf_counter()
    with open(os.devnull, "wb") as nowhere:
        process = subprocess.Popen(command, stdout=nowhere, stderr=subprocess.PIPE)
        message = process.stderr.read() if process.stderr else b""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode and not may_fail:
        raise SystemExit(f"{' '.join(command)} failed:\n{message.decode()[-2000:]}")
    return time.perf_counter() - began, used.ru_maxrss / 1000


def rows_of(corpus: str, folder: Path) -> list[dict[str, Cell]]:
    """A row for each command over the corpus of holes."""
    python = [sys.executable, "-c"]
    works = {
        "(packages of the commands)": [*python, _LOAD],
        **{
            what: [sys.executable, "-m", "sgt_data", *arguments]
            for what, arguments in commands(corpus, folder).items()
        },
        "(packages of the stream)": [*python, _LOAD_STREAM],
        "Stream opens": [*python, _OPEN_STREAM, corpus],
        "Stream opens the subset": [*python, _OPEN_STREAM, str(folder / _SUBSET)],
    }
    rows: list[dict[str, Cell]] = []
    for what, command in works.items():
        seconds, megabytes = measure(command, may_fail=what == "report")
        rows.append({"command": what, "seconds": seconds, "peak MB": megabytes})
    return rows


def copy_row(folder: Path, shards: int) -> dict[str, Cell]:
    """How long it takes to copy all shards of a corpus of real tars, each as it is."""
    corpus = linked(folder, shards * _COPIED_SAMPLES, shard_samples=_COPIED_SAMPLES)
    arguments = ["scale", corpus, "--shards", "--fraction", "1", "--output", str(folder / "copy")]
    seconds, megabytes = measure([sys.executable, "-m", "sgt_data", *arguments, "--workers", "0"])
    return {
        "command": "scale --shards --output", "shards": shards, "seconds": seconds,
        "shards/s": shards / seconds, "peak MB": megabytes,
    }  # fmt: skip


@contextmanager
def corpus_in(folder: Path | None, shards: int) -> Iterator[tuple[str, Path]]:
    """The corpus, made where it is not there yet, and a folder for what is written beside it."""
    with TemporaryDirectory(prefix="sgt-bench-") as beside:
        place = Path(beside) / "sources" if folder is None else folder
        if not (place / "corpus" / "corpus.json").exists():
            write_full_size_corpus(place, shards)
        yield str(place / "corpus"), Path(beside)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--shards", type=int, default=SHARDS // 10)
    parser.add_argument("--full", action="store_true", help="all 44,000 shards")
    parser.add_argument("--no-copy", action="store_true")
    parser.add_argument("--folder", type=Path, help="keeps the corpus for the next run")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with corpus_in(given.folder, SHARDS if given.full else given.shards) as (corpus, folder):
        header = json.loads((Path(corpus) / "corpus.json").read_text())
        shards = len(header["shards"]["segmentation"])
        tables = {f"a corpus of {shards:,} shards": rows_of(corpus, folder)}
        file_bytes = (folder / _SUBSET).stat().st_size
        if not given.no_copy:
            tables["a copy"] = [copy_row(folder, shards // _COPIED_SHARE)]
    largest = max(float(each["peak MB"] or 0) for rows in tables.values() for each in rows)
    report(
        tables,
        {"shards": shards, "samples": header["totals"]["segmentation"]["samples"]},
        [
            f"the subset file of a quarter has {file_bytes:,} bytes",
            verdict("megabytes of the largest process", largest, MEGABYTES_MAX, at_most=True),
        ],
        given.json,
    )


if __name__ == "__main__":
    main()
