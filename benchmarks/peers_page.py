"""The page of whole builds: Markdown from the JSON file that `peers.py` wrote.

python benchmarks/peers_page.py benchmarks/results/peers.json > benchmarks/peers.md
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_PAGE = """# Whole builds: peers and us

SA-1B tars in, WebDataset shards of (picture at 1024 px, coloured masks, instruction) out, on two
cores. Every figure is from `python benchmarks/peers.py WAY --json benchmarks/results/peers.json`
({cpu}, {origin}, copied under new names into {tars} tars); this page is made by
`python benchmarks/peers_page.py`.

{rates}

{verdict}

After SIGKILL for all processes with half of the tars written, and the same command once more; read
by `webdataset`:

{kills}

## How the peers are written

All peers draw the same segments as we do, in the same order, at the same size, with the same JPEG
quality and subsampling, a PNG target and lines of the same instruction bank
(`benchmarks/peer_programs/sample.py`). The rows without "full size" use the faster way: libjpeg's
half scale, every decoded mask shrunk within its box before it is painted, a palette PNG with little
compression. Shards of the pool, Daft and NeMo Curator get their names when they are whole, those
that are there are kept, and time stamps are fixed: without these lines of the author's own, they
would leave broken shards and differ from run to run.

- Ray Data {ray}: a rerun begins anew (`SaveMode.OVERWRITE`); with the default, `APPEND`, it writes
  samples twice. `CheckpointConfig` is not used.
- Daft {daft}: `read_webdataset` of two tars did not end within 40 s on two cores in our trials, so
  a row is a tar. There is no writer of tars.
- NeMo Curator {curator}: its readers and writers of pictures take no masks and write JPEGs of
  quality 92, so that the work is a stage of our own, by the Ray Data executor.
- Ours also checks every mask, writes facts, an index, receipts and a ledger of damaged pictures;
  the peers do not.
"""

_RATES = {
    "build": "build", "pictures": "pictures", "per_second": "pictures/s",
    "per_second_with_start": "with start-up", "start_s": "start-up, s", "peak_mib": "peak MiB",
    "kb_a_sample": "kB a sample", "same_bytes": "same bytes twice",
}  # fmt: skip
_KILLS = {
    "build": "build", "broken_at_kill": "broken at the kill", "rerun_s": "rerun, s",
    "missing": "missing", "doubled": "doubled", "broken": "broken", "left_over": "left over",
}  # fmt: skip


def page(document: Mapping[str, Any]) -> str:
    """The page of a JSON file of `peers.py`."""
    rows, settings = document["rows"], document["settings"]
    peers = settings["peers"]
    return _PAGE.format(
        cpu=document["machine"]["cpu"],
        origin=settings["input"],
        tars=settings["tars"],
        rates=_table(rows, _RATES),
        kills=_table(rows, _KILLS),
        verdict=_verdict(rows),
        ray=peers["ray"],
        daft=peers["daft"],
        curator=peers["nemo-curator"],
    )


def _table(rows: list[dict[str, Any]], columns: Mapping[str, str]) -> str:
    lines = [columns.values(), ["---"] * len(columns)]
    lines += [[_shown(row[name]) for name in columns] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _verdict(rows: list[dict[str, Any]]) -> str:
    ours = max(row["per_second"] for row in rows if row["build"].startswith("sgt-data"))
    peers = [row for row in rows if not row["build"].startswith("sgt-data")]
    if not peers:
        return ""
    best = max(peers, key=lambda row: float(row["per_second"]))
    return f"Ours does {ours / best['per_second']:.1f} times the best peer ({best['build']})."


def _shown(cell: Any) -> str:
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return f"{cell:.0f}" if cell >= 100 else f"{cell:.3g}"
    return str(cell)


if __name__ == "__main__":
    print(page(json.loads(Path(sys.argv[1]).read_text())), end="")
