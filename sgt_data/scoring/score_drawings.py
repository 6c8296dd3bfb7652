"""Score what a model drew for the samples of a corpus: the entry of this room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from sgt_data import checks
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.files.urls import Location
from sgt_data.progress import OnProgress, Progress, ProgressTo
from sgt_data.progress_display import shown
from sgt_data.scoring.class_measure import ClassMeasure
from sgt_data.scoring.decoding_parameters import measures_of, parameters_of
from sgt_data.scoring.measure import Measure
from sgt_data.scoring.parallel_scoring import default_processes, score_all
from sgt_data.scoring.proxy_score import PictureScore, ProxyScore
from sgt_data.scoring.score_examples import read_examples
from sgt_data.scoring.score_plan import Drawn, ScorePlan, plan_score
from sgt_data.scoring.score_result import Score
from sgt_data.scoring.score_samples import Missing, ScoredRow, Scorer
from sgt_data.subsets.open_corpus import open_corpus

_PHASE = "scoring"


def score(
    corpus: Location,
    drawn: Drawn,
    *,
    proxy: str | Sequence[str] | None = None,
    missing: Missing = "zero",
    decoding: Mapping[str, Any] | None = None,
    seed: int = 0,
    processes: int | None = None,
    progress: ProgressTo = False,
) -> Score:
    """Score what a model drew for the samples of a corpus.

    Drawings are decoded as a person would read them: off colours, blends and JPEG's artefacts cost
    as much as they confuse, and no more. They may have any size.

    Args:
        corpus: fsspec URL of a complete corpus, or of a subset file, whose samples are asked for.
        drawn: a folder, a tar, a glob pattern or several of these, whose files are named for keys
            (`KEY.png`, `PROXY/KEY.jpg`); or pairs of a key and a picture, as a mapping or as they
            come: uint8 [H, W, 3] or [H, W], or Pillow images.
        proxy: for which proxy the drawings are, or several names; None for those that the paths
            name. Drawings that are no files are for one proxy.
        missing: what a sample without a readable drawing counts as: `zero`, the worst that a
            drawing can be, or `skip`, nothing.
        decoding: parameters of decoding by name that differ from the usual ones (see
            `ProxyScore.decoding`).
        seed: of the intervals.
        processes: how many score at a time; None for one per CPU where there is enough to do. A
            program that calls with several needs `if __name__ == "__main__":`.
        progress: True shows a bar; a function is called with the samples that are done.

    Raises:
        RequestError: the corpus, a proxy or the drawings do not exist; two drawings are of one
            sample; or an argument is wrong.
        CorpusError: a sample of the corpus is damaged.
        SourceError: a file cannot be read, after several attempts.
    """
    checks.one_of("missing", missing, ("zero", "skip"))
    checks.whole_number("seed", seed, 0)
    if processes is not None:
        checks.whole_number("processes", processes, 1)
    with shown(progress, "samples") as on_progress:
        on_progress(Progress(0, phase="opening the corpus"))
        opened = open_corpus(corpus)
        asked = () if proxy is None else opened.finished(proxy)
        opened.finished()
        on_progress(Progress(0, phase="looking for drawings"))
        plan = plan_score(opened, drawn, asked)
        scorer = Scorer(
            Corpus(opened.url, opened.header, opened.selection),
            measures_of(opened, plan.proxies, decoding or {}), missing,
        )  # fmt: skip
        rows = _score(scorer, plan, processes, on_progress)
        on_progress(Progress(plan.total, plan.total, phase="intervals"))
        scores = {
            name: _proxy_score(opened, scorer.measures[name], plan, rows[name], seed)
            for name in plan.proxies
        }
        notes = [*plan.notes(), *(note for each in scores.values() for note in each.notes())]
        return Score(opened.url, opened.header.name, missing, seed, scores, tuple(notes))


def _score(
    scorer: Scorer, plan: ScorePlan, processes: int | None, on_progress: OnProgress
) -> dict[str, list[ScoredRow]]:
    """What came of every sample, by proxy, in the order of the corpus."""
    rows: dict[str, list[ScoredRow]] = {proxy: [] for proxy in plan.proxies}
    done = 0
    on_progress(Progress(0, plan.total, phase=_PHASE))
    at_a_time = processes or default_processes(plan.total)
    with closing(score_all(scorer, plan.samples, at_a_time)) as batches:
        for batch in batches:
            for row in batch:
                rows[row.proxy].append(row)
            done += len(batch)
            on_progress(Progress(done, plan.total, phase=_PHASE))
    for of_proxy in rows.values():
        of_proxy.sort(key=lambda row: row.number)
    return rows


def _proxy_score(
    corpus: Corpus, measure: Measure[Any], plan: ScorePlan, rows: Sequence[ScoredRow], seed: int
) -> ProxyScore:
    proxy = rows[0].proxy
    kept = [row.row for row in rows if row.row is not None]
    kind = next(each["type"] for each in corpus.header.manifest["proxies"] if each["name"] == proxy)
    return ProxyScore(
        proxy, kind, measure.overall(kept, seed) if kept else {}, parameters_of(measure),
        tuple(
            PictureScore(row.key, row.state, row.quality, row.figures or {}, row.problem)
            for row in rows
        ),
        plan.extra[proxy], corpus.header.fingerprints.get(proxy, ""),
        read_examples(corpus, measure, rows, plan.look_again),
        measure.by_class(kept) if isinstance(measure, ClassMeasure) else {},
    )  # fmt: skip
