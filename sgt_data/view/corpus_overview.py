"""What a corpus is and holds, from its header alone: the totals that a page shows at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.paths import INPUT
from sgt_data.corpus.receipt import add_up
from sgt_data.facts import FORMAT_VERSION
from sgt_data.proxies.registry import proxy_kinds
from sgt_data.redaction import without_secrets

_COUNTS = ("inputs", "samples", "damaged", "filtered", "segments", "shards", "bytes")


def corpus_overview(corpus: Corpus) -> dict[str, Any]:
    """Name, totals by proxy and source, and what a person should know, as JSON."""
    header = corpus.header
    by_folder = folder_totals(corpus)
    manifest = {str(proxy["name"]): proxy for proxy in header.manifest["proxies"]}
    proxies = [
        _proxy(name, manifest[name], by_folder.get(name, {}), source_totals(corpus, name))
        for name in corpus.proxies
        if name not in header.left_out
    ]
    return {
        "title": header.name,
        "kind": "corpus" if corpus.selection is None else "subset",
        "url": without_secrets(corpus.url),
        "format": f"{FORMAT_VERSION}.{header.stated_minor}",
        "complete": header.complete,
        "notes": _notes(corpus),
        "proxies": proxies,
        "inputs": _counted(by_folder[INPUT]) if INPUT in by_folder else None,
        "sources": [
            {"name": source["name"], "type": source.get("type", "")}
            for source in header.manifest["sources"]
        ],
        "left_out": list(header.left_out),
        "rejected": any(
            totals["damaged"] + totals["filtered"] + totals.get("notes", 0)
            for totals in by_folder.values()
        ),
    }


def folder_totals(corpus: Corpus) -> dict[str, Mapping[str, int]]:
    """Totals by folder; of a corpus that is still being built, those of its receipts."""
    if corpus.header.totals:
        totals = corpus.header.totals
        return {folder: totals[folder] for folder in corpus.folders if folder in totals}
    return {
        folder: add_up(corpus.receipt(folder, shard) for shard in corpus.shards(folder))
        for folder in corpus.folders
    }


def source_totals(corpus: Corpus, folder: str) -> Mapping[str, Mapping[str, int]]:
    """Totals of a folder by source; empty while the corpus is being built."""
    return corpus.header.source_totals.get(folder, {})


def _of_subset(subset: Mapping[str, Any], parent: str) -> str:
    """How large a share a subset is. Shares are counted by one proxy of each source."""
    kind = "shards" if subset.get("whole") else "samples"
    of_one = "" if subset.get("whole") else " of the first proxy of each source"
    return (
        f"A subset of the corpus {parent}, by {subset.get(kind)} of {subset.get('from')} "
        f"{kind}{of_one}."
    )


def _counted(totals: Mapping[str, int]) -> dict[str, int]:
    return {count: totals.get(count, 0) for count in (*_COUNTS, "notes", "lost")}


def _proxy(
    name: str,
    fields: Mapping[str, Any],
    totals: Mapping[str, int],
    by_source: Mapping[str, Mapping[str, int]],
) -> dict[str, Any]:
    kind = proxy_kinds().get(fields.get("type", ""))
    return {
        "name": name,
        "type": fields.get("type", ""),
        "variant": fields.get("variant") or "",
        "tier": kind.tier if kind else "",
        "degrades": bool(kind and kind.degrades),
        "totals": _counted(totals),
        "sources": {
            source: {count: counts.get(count, 0) for count in _COUNTS}
            for source, counts in by_source.items()
        },
    }


def _notes(corpus: Corpus) -> list[str]:
    header = corpus.header
    notes = []
    if header.limit is not None:
        notes.append(f"The build was {header.limit_text}, in whole shards.")
    elif not header.complete:
        notes.append(
            "The build is not complete: the shards that were committed when this was opened are "
            "shown."
        )
    subset = header.identity.get("subset")
    if isinstance(subset, Mapping):
        notes.append(_of_subset(subset, str((header.parent or {}).get("name", ""))))
    if header.left_out:
        notes.append(
            f"A copy without {', '.join(header.left_out)}, whose pictures may not be passed on."
        )
    return notes
