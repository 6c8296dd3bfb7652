"""Commands over a finished corpus: they keep few bytes of a sample, however many there are.

Corpora are those of `benchmarks/full_size_corpus.py`, whose tars are holes.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from sgt_data import list_inputs, load_manifest, open_corpus, verify_corpus
from sgt_data.corpus.committed_receipts import committed_receipts
from sgt_data.engine.build_plan import plan_build
from sgt_data.engine.slice_tasks import pending_tasks

_BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
_SHARDS = (40, 640)
_BYTES_MAX = {"verify": 100, "scale": 250}
"""Most bytes that a further sample may take at any time. Measured were 20 and 150, and 27 and 83 at
eleven million samples, as the first thousands also fill what allocators keep; texts and lists of
Python's took 250 and more in `verify`, and 400 in `scale`."""

_COMMANDS = """
import json, resource, sys
from sgt_data import subset, verify_corpus

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

assert verify_corpus(sys.argv[1]).sound
verify = peak()
subset(sys.argv[1], 0.5, file=sys.argv[2])
print(json.dumps({"verify": verify, "scale": peak()}))
"""


@pytest.fixture(scope="module")
def full_size_corpus() -> ModuleType:
    place = _BENCHMARKS / "full_size_corpus.py"
    spec = importlib.util.spec_from_file_location("full_size_corpus", place)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its workers import it by name
    spec.loader.exec_module(module)
    return module


def test_memory_of_commands_grows_by_few_bytes_a_sample(
    full_size_corpus: ModuleType, tmp_path: Path
) -> None:
    """Peaks of two processes, of which the larger corpus is sixteen times the smaller one."""
    samples, peaks = [], []
    for shards in _SHARDS:
        corpus = full_size_corpus.write_full_size_corpus(tmp_path / f"{shards}", shards)
        samples.append(len(open_corpus(corpus)))
        command = [sys.executable, "-c", _COMMANDS, corpus, f"{tmp_path}/{shards}.subset.parquet"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        peaks.append(json.loads(done.stdout))
    more = samples[1] - samples[0]
    assert more > 150_000
    grown = {name: (peaks[1][name] - peaks[0][name]) / more for name in _BYTES_MAX}
    assert all(grown[name] < most for name, most in _BYTES_MAX.items()), grown


def test_the_corpus_of_holes_is_what_its_manifest_builds(
    full_size_corpus: ModuleType, tmp_path: Path
) -> None:
    """Its files agree with one another, and a build would go on where a receipt is lost."""
    corpus = full_size_corpus.write_full_size_corpus(tmp_path, 3, 2)
    verdict = verify_corpus(corpus)
    assert verdict.sound
    assert (verdict.shards, verdict.samples) == (6, 2 * (3 * 256 - 1))
    listing = list_inputs(load_manifest(tmp_path / "manifest.yaml"))
    plan = plan_build(listing, lambda annotator: pytest.fail(f"it needs {annotator}"))
    assert plan.identity == open_corpus(corpus).header.identity
    next(Path(corpus).glob("receipts/edge/*-00001.json")).unlink()
    receipts = committed_receipts(corpus, plan.recipe.fingerprints)
    (task,) = pending_tasks(listing.slices, listing.folders_of, receipts)
    assert task.slice.name == "sa_000000"
    assert len(task.finished_shards) == 2
