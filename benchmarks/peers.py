"""Whole builds by us and by our peers: SA-1B tars in, WebDataset shards out, on two cores.

SA-1B pictures are copied under new names into 20 tars. One command measures one way to build: a
run, a second run whose bytes are compared with the first, and a run that is killed in the middle
(SIGKILL for all processes) and started again. Rates are constant per picture, so that slow ways
take fewer pictures. Rows are merged into the JSON file, of which `peers_page.py` makes a page.

python benchmarks/peers.py WAY [--pictures N] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from measuring import Cell, pictures, report
from peer_runs import Run, digests, readable, run, run_and_kill, tars_of
from ray_build import write_tars

TARS = 20
_PROGRAMS = Path(__file__).parent / "peer_programs"
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Way:
    """A way to build.

    Attributes:
        name: in the table.
        program: of a peer; empty for us.
        painting: see `peer_programs/sample.py`; for us `ray` or `in-process`.
        pictures: by default.
    """

    name: str
    program: str
    painting: str
    pictures: int

    def command(self, tars: tuple[str, ...], output: Path) -> list[str]:
        """The command that builds, or continues, an output."""
        if self.program:
            script = str(_PROGRAMS / f"{self.program}.py")
            return [sys.executable, script, str(output), self.painting, *tars]
        workers = "2" if self.painting == "ray" else "0"
        return [
            sys.executable, "-m", "sgt_data", "build", str(_manifest(tars)),
            "--output", str(output), "--workers", workers, "--json",
        ]  # fmt: skip

    def work_seconds(self, done: Run) -> float:
        """Seconds of a run without its start-up."""
        if self.program:
            return done.work_seconds
        return float(json.loads(done.printed.splitlines()[-1])["work_seconds"])


WAYS = {
    "ours-ray": Way("sgt-data, Ray on 2 cores", "", "ray", 2000),
    "ours": Way("sgt-data, in one process", "", "in-process", 2000),
    "pool": Way("process pool", "process_pool", "shrunk", 200),
    "pool-full": Way("process pool, painted at full size", "process_pool", "full", 100),
    "ray-data": Way("Ray Data, write_webdataset", "ray_data", "shrunk", 200),
    "daft": Way("Daft, a tar a row", "daft_tars", "shrunk", 200),
    "curator": Way("NeMo Curator, Ray Data executor", "curator", "shrunk", 200),
}


def measure(way: Way, tars: tuple[str, ...], keys: set[str], scratch: Path) -> dict[str, Cell]:
    """The row of a way: two runs, then one that is killed and started again."""
    outputs = [scratch / name for name in ("first", "second", "killed")]
    first = run(way.command(tars, outputs[0]), outputs[0])
    whole = readable(outputs[0], keys)
    written = sum(tar.stat().st_size for tar in tars_of(outputs[0]))
    of_first = digests(outputs[0])
    shutil.rmtree(outputs[0])
    run(way.command(tars, outputs[1]), outputs[1])
    of_second = digests(outputs[1])
    shutil.rmtree(outputs[1])
    work = way.work_seconds(first)
    run_and_kill(way.command(tars, outputs[2]), outputs[2], TARS // 2)
    left = readable(outputs[2], keys)
    again = run(way.command(tars, outputs[2]), outputs[2])
    after = readable(outputs[2], keys)
    return {
        "build": way.name,
        "pictures": len(keys),
        "per_second": len(keys) / work,
        "per_second_with_start": len(keys) / first.seconds,
        "start_s": first.seconds - work,
        "peak_mib": first.peak.total / _MIB,
        "kb_a_sample": written / len(keys) / 1000,
        "samples": whole.samples,
        "same_bytes": of_first == of_second,
        "same_but_names": sorted(of_first.values()) == sorted(of_second.values()),
        "broken_at_kill": left.broken,
        "rerun_s": again.seconds,
        "missing": after.missing,
        "doubled": after.doubled,
        "broken": after.broken,
        "left_over": after.left_over,
    }


def _manifest(tars: tuple[str, ...]) -> Path:
    """The manifest of our build, beside the tars."""
    file = Path(tars[0]).with_name("peers.yaml")
    document = {
        "version": 1,
        "name": "peers",
        "shard_samples": 100,
        "sources": [{"type": "sa1b", "tars": list(tars)}],
        "proxies": [{"type": "segmentation", "variant": "entity"}],
    }
    file.write_text(json.dumps(document))  # YAML takes JSON
    return file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("way", choices=sorted(WAYS))
    parser.add_argument("--pictures", type=int, help="default: what a command can do in 4 minutes")
    parser.add_argument("--scratch", type=Path, help="folder for several GB; default: the system's")
    parser.add_argument("--json", type=Path, metavar="FILE", help="merge the row into this file")
    arguments = parser.parse_args()
    way = WAYS[arguments.way]
    per_tar = math.ceil((arguments.pictures or way.pictures) / TARS)
    with (
        pictures() as samples,
        TemporaryDirectory(prefix="sgt-peers-", dir=arguments.scratch) as scratch,
    ):
        tars = write_tars(samples.inputs, Path(scratch), TARS, per_tar)
        keys = {str(1_000_000 + number) for number in range(TARS * per_tar)}
        row = measure(way, tars, keys, Path(scratch))
        origin = samples.origin
    known = []
    if arguments.json and arguments.json.exists():
        known = json.loads(arguments.json.read_text())["rows"]
    rows = [{name: cell for name, cell in of.items() if name != "table"} for of in known]
    rows = [of for of in rows if of["build"] != way.name] + [row]
    order = [of.name for of in WAYS.values()]
    rows.sort(key=lambda of: order.index(str(of["build"])))
    names = ("ray", "daft", "nemo-curator", "webdataset", "pycocotools", "pillow", "numpy")
    settings = {
        "input": origin,
        "tars": TARS,
        "cores": 2,
        "peers": {name: version(name) for name in names},
    }
    report({"Whole builds": rows}, settings, [origin], arguments.json)


if __name__ == "__main__":
    main()
