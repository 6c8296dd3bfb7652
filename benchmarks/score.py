"""Drawings per second that one core scores, by proxy: read, decoded, matched with their targets.

    python benchmarks/score.py [--json FILE] [--proxy NAME,...]

Sample scenes of 512x512 pixels are built in the demo's proxies; the drawings are their targets as
JPEG of quality 75, halved and enlarged again, as models of latents blend them. Everything is in the
page cache. A first round compiles and is not counted; the best of the others is reported, in CPU
seconds of one process, and so is the score as a whole, intervals and examples with it.
"""

from __future__ import annotations

import argparse
import io
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from measuring import Cell, report, verdict
from PIL import Image

from sgt_data import IN_PROCESS, Corpus, build_corpus, open_corpus, parse_manifest, score
from sgt_data.scenes.write_samples import write_samples
from sgt_data.scoring.decoding_parameters import measures_of
from sgt_data.scoring.match_samples import samples_with_files
from sgt_data.scoring.parallel_scoring import score_all
from sgt_data.scoring.score_plan import plan_score
from sgt_data.scoring.score_samples import Scorer

PICTURES, SIDE, ROUNDS = 24, 512, 4
SEMANTIC_PER_SECOND_MIN = 100.0


def build(folder: Path) -> str:
    """A corpus of the demo's proxies over scenes of 512x512 pixels; its path."""
    write_samples(folder / "sources", PICTURES, size=(SIDE, SIDE), forms="coco")
    document = yaml.safe_load((Path(__file__).parent.parent / "manifests/demo.yaml").read_text())
    source = {**document["sources"][1], "root": f"{folder}/sources/coco"}
    for field, place in (("depth",) * 2, ("normals",) * 2, ("intrinsics", "intrinsics.json")):
        source[field] = f"{folder}/sources/{place}"
    proxies = [proxy for proxy in document["proxies"] if proxy.get("variant") != "entity"]
    for proxy in proxies:
        proxy.pop("sources", None)
    manifest = parse_manifest({**document, "sources": [source], "proxies": proxies})
    build_corpus(manifest, folder / "corpus", cluster=IN_PROCESS)
    return str(folder / "corpus")


def draw(corpus: Corpus, proxy: str, folder: Path) -> None:
    """Write targets as a model of latents would draw them."""
    folder.mkdir(parents=True)
    for sample in corpus[proxy]:
        target = sample.target_image
        half = target.resize((target.width // 2, target.height // 2), Image.Resampling.BICUBIC)
        out = io.BytesIO()
        half.resize(target.size, Image.Resampling.BICUBIC).save(out, "JPEG", quality=75)
        (folder / f"{sample.key}.jpg").write_bytes(out.getvalue())


def timed_score(corpus: Corpus, proxy: str, drawn: Path) -> dict[str, Cell]:
    """Rates of one proxy."""
    rates, wholes = [], []
    figures: dict[str, float] = {}
    for _ in range(ROUNDS):
        plan = plan_score(corpus, str(drawn), [proxy])
        scorer = Scorer(corpus, measures_of(corpus, [proxy], {}), "zero")
        samples = list(samples_with_files(corpus, plan.again, plan.extra))
        start = time.process_time()
        rows = [row for batch in score_all(scorer, samples, 1) for row in batch]
        rates.append(len(rows) / (time.process_time() - start))
        start = time.process_time()
        result = score(corpus.url, str(drawn), proxy=proxy, processes=1)
        wholes.append(len(rows) / (time.process_time() - start))
        figures = {name: estimate.value for name, estimate in result.measures[proxy].items()}
    first = next(iter(figures))
    return {
        "proxy": proxy,
        "drawings_per_second": max(rates[1:]),
        "with_intervals_and_examples": max(wholes[1:]),
        "measure": first,
        "value": figures[first],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rates here as JSON")
    parser.add_argument("--proxy", metavar="NAME,...", help="these alone; default: all")
    arguments = parser.parse_args()
    with TemporaryDirectory(prefix="sgt-bench-") as name:
        folder = Path(name)
        corpus = open_corpus(build(folder))
        proxies: tuple[str, ...] = corpus.proxies
        if arguments.proxy:
            proxies = tuple(arguments.proxy.split(","))
        rows: list[dict[str, Any]] = []
        for proxy in proxies:
            draw(corpus, proxy, folder / "drawn" / proxy)
            rows.append(timed_score(corpus, proxy, folder / "drawn" / proxy))
    notes = [
        verdict("semantic drawings per second", row["drawings_per_second"], SEMANTIC_PER_SECOND_MIN)
        for row in rows
        if row["proxy"] == "semantic"
    ]
    settings = {"pictures": PICTURES, "side": SIDE, "rounds": ROUNDS}
    title = "Scoring drawings of 512x512 pixels, one core"
    report({title: rows}, settings, notes, arguments.json)


if __name__ == "__main__":
    main()
