"""Whether two checkouts make the same bytes: every file of sample corpora, compared by SHA-256.

    python benchmarks/same_bytes.py OLD NEW --data DIR --work DIR
    python benchmarks/same_bytes.py OLD NEW --experiment

OLD and NEW are checkouts in which `make .venv/base` was done. Both do the same commands, one after
the other, in one and the same folder (paths are part of some files): draw sample scenes, build the
demo, build COCO and SA-1B from the real samples below --data, take and copy subsets, ask questions,
export, draw a contact sheet. With --experiment the results of a finished `make experiment` in each
checkout are compared instead, number by number. Exit code 1 where anything differs.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Digests = dict[str, str]

_NOT_COMPARED = frozenset({"seconds", "config", "digest"})
"""Fields of results that tell how long a run took, and by which names its model was configured."""


_SAME_FORM = ("--set", "inputs=embedded", "--set", "proxies.0.name=segmentation")
"""Settings by which shipped manifests of earlier versions and of now ask for the same."""


def commands(checkout: Path, sources: Path, out: Path, data: Path | None) -> Iterator[list[str]]:
    """Arguments of `sgt-data`, in order."""
    manifest = (checkout / "manifests/demo.yaml").read_text()
    yield ["sample", str(out / "sample"), "--images", "6", "--width", "320", "--height", "240"]
    yield ["sample", str(out / "simple"), "--images", "6", "--scenes", "simple", "--form", "coco"]
    demo = str(out / "demo")
    yield ["build", "manifests/demo.yaml", "--output", demo, *_demo_sources(sources, manifest)]
    yield ["scale", demo, "--fraction", "0.4", "--file", f"{out}/demo-0.4.subset.parquet"]
    yield ["scale", demo, "--fraction", "0.4", "--output", str(out / "copy"), "--workers", "0"]
    yield ["questions", demo, "--output", str(out / "questions")]
    yield ["export", demo, "--output", str(out / "export"), "--proxy", "panoptic"]
    yield ["preview", demo, "--output", str(out / "sheet.png")]
    if data is None:
        return
    coco, tars = f"sources.coco.root={data}/coco", f"sources.sa1b.tars={data}/sa1b/*.tar"
    for name in ("coco-panoptic", "coco-instance", "coco-semantic"):
        folder = str(out / name)
        settings = ["--set", coco, *_SAME_FORM]
        yield ["build", f"manifests/{name}.yaml", "--output", folder, *settings]
    sa1b = ["--output", str(out / "sa1b"), "--set", tars, *_SAME_FORM]
    yield ["build", "manifests/sa1b-190k.yaml", *sa1b]
    proxies = "proxies=[{type: segmentation, variant: entity}, {type: edge}, {type: mae}]"
    shared = ["--set", "inputs=shared", "--set", "annotators=[]", "--set", proxies]
    shipped = ["build", "manifests/sa1b-proxies.yaml", "--set", tars, *shared]
    yield [*shipped, "--output", str(out / "sa1b-shared")]


def _demo_sources(sources: Path, manifest: str) -> list[str]:
    settings = [f"sources.sa1b.tars={sources}/sa1b/*.tar", f"sources.coco.root={sources}/coco"]
    beside = {"depth": "depth", "normals": "normals", "intrinsics": "intrinsics.json"}
    for field, place in beside.items():
        if f"{field}: demo/" in manifest:  # older manifests have no such field
            settings += [f"sources.{name}.{field}={sources}/{place}" for name in ("sa1b", "coco")]
    return [argument for setting in settings for argument in ("--set", setting)]


def make(checkout: Path, sources: Path, out: Path, data: Path | None) -> None:
    """Do all commands with one checkout's code."""
    program = checkout / ".venv/bin/sgt-data"
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    for arguments in commands(checkout, sources, out, data):
        print(f"{checkout}: sgt-data {' '.join(arguments)}", file=sys.stderr, flush=True)
        subprocess.run(
            [program, *arguments, "--json"],
            cwd=checkout,
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )


def digests(folder: Path) -> Digests:
    """SHA-256 of every file below a folder, by its path."""
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def compare_corpora(given: Namespace) -> int:
    """Make everything twice, and print what differs by part; the number of differing files."""
    work: Path = given.work
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    sources, out = work / "sources", work / "out"
    drawn = ["sample", str(sources), "--images", "12", "--width", "320", "--height", "240"]
    program, new = given.new / ".venv/bin/sgt-data", given.new  # which writes all that both read
    environment = {**os.environ, "PYTHONPATH": str(new)}
    subprocess.run([program, *drawn], cwd=new, env=environment, check=True)
    sides: dict[str, Digests] = {}
    for name, checkout in (("old", given.old), ("new", given.new)):
        make(checkout, sources, out, given.data)
        sides[name] = digests(out)
        out.rename(work / name)
    differing = 0
    parts: dict[str, list[str]] = {}
    for path in sorted(sides["old"].keys() | sides["new"].keys()):
        parts.setdefault(path.partition("/")[0], []).append(path)
    for part, paths in parts.items():
        wrong = [path for path in paths if sides["old"].get(path) != sides["new"].get(path)]
        whole = hashlib.sha256("".join(sides["old"].get(path, "") for path in paths).encode())
        state = "the same" if not wrong else f"{len(wrong)} differ: {', '.join(wrong[:5])}"
        print(f"{part:28} {len(paths):5} files  {whole.hexdigest()[:16]}  {state}")
        differing += len(wrong)
    return differing


def numbers(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every number and word of a result, by its path."""
    if isinstance(value, dict):
        for name, below in value.items():
            if name not in _NOT_COMPARED:
                yield from numbers(below, f"{path}.{name}")
    elif isinstance(value, list):
        for number, below in enumerate(value):
            yield from numbers(below, f"{path}.{number}")
    else:
        yield path, value


def results(checkout: Path) -> dict[str, dict[str, Any]]:
    """What the runs of an experiment gave: by table row, and by arm, place, seed and split."""
    folder = checkout / "experiment/scale"
    values: dict[str, dict[str, Any]] = {}
    for table in sorted(folder.glob("*/results.csv")):
        with open(table, newline="") as file:
            for number, row in enumerate(csv.DictReader(file)):
                name = f"{table.parent.name}/results.csv, row {number}"
                values[name] = {
                    column: cell for column, cell in row.items() if "seconds" not in column
                }
    for file_of_run in sorted(folder.glob("runs/*/*.json")):
        content = json.loads(file_of_run.read_bytes())
        content = content.get("result", content) if isinstance(content, dict) else content
        if isinstance(content, dict) and {"arm", "seed"} <= content.keys():
            name = f"{content['arm']}, x={content.get('x')}, seed {content['seed']}"
            values[f"{name}, {file_of_run.stem}"] = dict(numbers(content))
    return values


def compare_experiments(given: Namespace) -> int:
    """Print what differs between two finished experiments; the number of differing runs."""
    old, new = results(given.old), results(given.new)
    differing = 0
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name, {}), new.get(name, {})
        fields = before.keys() | after.keys()
        wrong = [field for field in fields if before.get(field) != after.get(field)]
        if wrong:
            print(f"{name}: {', '.join(sorted(wrong)[:5])}")
            differing += 1
    if not old:
        sys.exit(f"{given.old} has no finished experiment")
    count = sum(map(len, old.values()))
    print(f"{len(old)} rows and runs, {count} values: {differing} differ")
    return differing


def main() -> None:
    parser = ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--data", type=Path, help="real samples: coco/ and sa1b/")
    parser.add_argument("--work", type=Path, default=Path("/tmp/same-bytes"), help="emptied first")
    parser.add_argument("--experiment", action="store_true")
    given = parser.parse_args()
    given.old, given.new = given.old.resolve(), given.new.resolve()
    sys.exit(bool(compare_experiments(given) if given.experiment else compare_corpora(given)))


if __name__ == "__main__":
    main()
