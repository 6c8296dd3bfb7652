"""One HTML file that shows a corpus: totals and distributions of all of it, and some samples.

The samples are those of some pictures, chosen by a seed, in every proxy that has them. Their files
are in the page as they are stored, each once. The page needs no server and loads nothing.
"""

from __future__ import annotations

import base64
import posixpath
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from sgt_data import checks
from sgt_data.files.output_place import check_file_place, check_output
from sgt_data.files.urls import Location, plain
from sgt_data.files.writing import write_atomic
from sgt_data.progress import Progress, ProgressTo
from sgt_data.progress_display import shown
from sgt_data.result import Result
from sgt_data.value_text import counted
from sgt_data.view.answers import Answers
from sgt_data.view.collection import Collection
from sgt_data.view.ledgers import ReasonGroup
from sgt_data.view.open_collection import open_collection
from sgt_data.view.page_files import whole_page
from sgt_data.view.report_samples import HeldSamples, chosen_samples, take_samples

_REJECTED_MAX = 48
"""Rejected inputs that are listed of each reason."""
_PROBLEMS_MAX = 20


@dataclass(slots=True)
class CorpusReport(Result):
    """A report that was written.

    Attributes:
        output: its URL.
        pictures: how many pictures it shows, each in every proxy that has it.
        asked: how many were asked for; the corpus may hold fewer, or they may not fit.
        samples: how many samples that are.
        of: how many samples the corpus has.
        nbytes: its size.
    """

    output: str
    pictures: int = 0
    asked: int = 0
    samples: int = 0
    of: int = 0
    nbytes: int = 0


def write_report(
    corpus: Location,
    output: Location = "report.html",
    *,
    samples: int = 12,
    max_megabytes: int = 32,
    seed: int = 0,
    progress: ProgressTo = False,
) -> CorpusReport:
    """Write a corpus as one HTML file, which a browser opens without a server.

    Args:
        corpus: fsspec URL of a corpus, a subset file or an export.
        output: the file to write, an fsspec URL.
        samples: pictures whose samples are in the page, chosen by the seed among the keys of all
            proxies.
        max_megabytes: samples are left out that would make the page larger; the rest of the page
            takes well under one.
        seed: by which pictures, and samples for distributions, are chosen.
        progress: True shows how far it is; a function is called with every picture.

    Raises:
        RequestError: nothing to show is at the URL, or the output cannot be there.
        CorpusError: the header of the corpus is damaged.
        StorageError: the file cannot be written.
    """
    checks.whole_number("samples", samples, 1, 10_000)
    checks.whole_number("max_megabytes", max_megabytes, 1, 1000)
    collection = open_collection(corpus)
    place = check_output(output, [collection.url])
    check_file_place(place)
    answers = Answers(collection, seed)
    report = CorpusReport(place, asked=samples)
    held = HeldSamples()
    chosen = chosen_samples(collection, samples, seed)
    with shown(progress, "pictures") as on_progress:
        for number, key_places in enumerate(chosen):
            on_progress(Progress(number, len(chosen), note="samples"))
            if not take_samples(answers, key_places, held, max_megabytes * 1_000_000):
                report.notes.append(
                    f"{held.keys:,} of {counted(len(chosen), 'picture')} fit into "
                    f"{max_megabytes} MB; more with a larger max_megabytes"
                )
                break
        on_progress(Progress(len(chosen), len(chosen), note="distributions"))
        report.pictures, report.samples = held.keys, len(held.samples)
        report.failures += held.failures
        report.of = sum(collection.table(proxy).total for proxy in collection.proxies)
        page = whole_page(orjson.dumps(_document(answers, held, report)))
    report.notes += _problems(collection)
    write_atomic(plain(place), page)
    report.nbytes, report.complete = len(page), True
    return report


def _problems(collection: Collection) -> list[str]:
    """What could not be read, and is in no count of the page."""
    problems = [*collection.ledgers().problems]
    for proxy in collection.proxies:
        problems += collection.table(proxy).problems
    return problems[:_PROBLEMS_MAX]


def _document(answers: Answers, held: HeldSamples, report: CorpusReport) -> dict[str, Any]:
    """All data of the page. Holders are cut to the samples that it holds."""
    collection = answers.collection
    for document in held.samples.values():
        document["holders"] = [
            holder
            for holder in document["holders"]
            if not holder["holds"]
            or f"{holder['proxy']}/{document['shard']}/{document['key']}" in held.samples
        ]
    overview = answers.overview()
    overview["url"] = posixpath.basename(overview["url"].rstrip("/"))  # a page is passed on
    overview["notes"].append(
        f"This page holds {report.samples:,} of {counted(report.of, 'sample')}: those of "
        f"{counted(report.pictures, 'picture')} that a seed chose. Totals and counts are those of "
        f"the whole {collection.kind}; every chart says how many samples it counts."
    )
    collection.ledgers().work.finish()
    return {
        "overview": overview,
        "items": held.items,
        "samples": held.samples,
        "pictures": held.pictures,
        "files": [base64.b64encode(data).decode() for data in held.files],
        "counts": {proxy: answers.all_counts(proxy) for proxy in collection.proxies},
        "distributions": {proxy: answers.all_distributions(proxy) for proxy in collection.proxies},
        "reasons": answers.reasons(0),
        "rejected": _rejected(collection, held),
    }


def _rejected(collection: Collection, held: HeldSamples) -> list[dict[str, Any]]:
    """Inputs by reason; their pictures are shown where the page holds them anyway."""
    return [
        {
            "kind": group.kind,
            "reason": group.reason,
            "rows": group.rows,
            "items": [
                {**row, "picture": _held_picture(collection, row, held)} for row in _listed(group)
            ],
        }
        for group in collection.ledgers().groups()
    ]


def _listed(group: ReasonGroup) -> list[dict[str, str]]:
    """Some rows of a reason: of each folder its share."""
    most = max(1, _REJECTED_MAX // len(group.rows))
    taken: Counter[str] = Counter()
    rows = []
    for row in group.examples:
        taken[row["folder"]] += 1
        if taken[row["folder"]] <= most:
            rows.append(row)
    return rows


def _held_picture(
    collection: Collection, row: Mapping[str, str], held: HeldSamples
) -> dict[str, str] | None:
    for proxy in collection.proxies:
        if f"{proxy}/{row['shard']}/{row['key']}/input" in held.pictures:
            return {"proxy": proxy, "shard": row["shard"], "key": row["key"]}
    return None
