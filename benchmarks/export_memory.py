"""Peak memory of an export of 20,000 and of 100,000 samples: it must not grow with the corpus.

Small pictures, each export in a process of its own. All tars of a corpus are hard links to one tar
(see `stream_corpora`). `before` is the process when the exporter is loaded, and nothing else.

python benchmarks/export_memory.py [--samples N] [--format NAME,...] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from measuring import Cell, in_fresh_process, report, verdict
from stream_corpora import linked

from sgt_data import export_corpus

FORMATS = ("bagel-edit", "hf", "folders")
_FEW = 20_000
_FLAT = 1.25
"""Largest peak of the large export as a share of the small one's."""


def peak_mb() -> float:
    """Largest resident memory of this process so far, in MB (1e6 bytes); Linux's count for the
    process alone, as `getrusage` begins with the peak of the parent."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(peak) * 1024 / 1e6


def exported(corpus: str, form: str, output: str) -> dict[str, float]:
    """Export in this process; its peak memory before and after."""
    before = peak_mb()
    assert export_corpus(corpus, output, form).succeeded
    return {"before": before, "peak": peak_mb()}


def measure(root: Path, samples: int, forms: list[str]) -> list[dict[str, Any]]:
    corpora = {}
    for count in (_FEW, samples):
        folder = root / str(count)
        folder.mkdir()
        corpora[count] = linked(folder, count)
    rows = []
    for form in forms:
        for count, corpus in corpora.items():
            output = str(root / f"{form}-{count}")
            peaks = in_fresh_process(__file__, "--one", corpus, form, output)
            rows.append({"format": form, "samples": count, **peaks})
    return rows


def main() -> None:
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(exported(*sys.argv[2:5])))
        return
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--format", default=",".join(FORMATS))
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    forms = arguments.format.split(",")
    with TemporaryDirectory(prefix="sgt-bench-") as folder:
        rows = measure(Path(folder), arguments.samples, forms)
    table: list[dict[str, Cell]] = [
        {
            "format": row["format"],
            "samples": row["samples"],
            "before_MB": row["before"],
            "peak_MB": row["peak"],
        }
        for row in rows
    ]
    notes = [
        verdict(
            f"{few['format']}, growth of the peak", many["peak"] / few["peak"], _FLAT, at_most=True
        )
        for few, many in zip(rows[::2], rows[1::2], strict=True)
    ]
    report({"peak memory of exports": table}, {"samples": arguments.samples}, notes, arguments.json)


if __name__ == "__main__":
    main()
