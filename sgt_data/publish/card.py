"""The card of a published corpus: the README.md of its repository.

The text is that of the template `card.md.jinja`. The same corpus always has the same card.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote

from sgt_data.corpus.front_matter import folders_with_samples, front_matter
from sgt_data.corpus.header import CorpusHeader
from sgt_data.corpus.paths import INPUT, tar_path
from sgt_data.corpus.readme import MARKER, as_code, as_line, described
from sgt_data.publish.hub import MAIN, repository_url
from sgt_data.publish.licences import counts_text
from sgt_data.publish.push_plan import PushPlan
from sgt_data.sources.base import Source
from sgt_data.sources.registry import source_kinds

if TYPE_CHECKING:
    from jinja2 import Template


def corpus_card(plan: PushPlan, repo: str, revision: str = MAIN) -> str:
    """The card of a corpus, as Markdown.

    Args:
        plan: what is published of the corpus.
        repo: name of the repository, `owner/name`.
        revision: name of the branch.
    """
    header = plan.header
    folders = [proxy["name"] for proxy in header.manifest["proxies"]]
    folders += [INPUT] if INPUT in header.totals else []
    example = next((folder for folder in folders_with_samples(header) if folder != INPUT), None)
    files = f"https://huggingface.co/datasets/{repo}/resolve/{quote(revision, safe='')}"
    return _template().render(
        front_matter=front_matter(plan.corpus, header),
        marker=MARKER,
        header=header,
        description=described(header, INPUT in header.totals),
        rows=[_row(header, folder) for folder in folders],
        licences=plan.licences,
        left_out=plan.left_out,
        subset=_subset(header),
        places=_places(header),
        without_pictures=INPUT in header.left_out,
        repo=repo,
        revision=revision if revision != MAIN else None,
        url=repository_url(repo, revision),
        example_folder=example,
        example_tar=f"{files}/{tar_path(example, _first_shard(header, example))}"
        if example
        else None,
    )


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the card's table."""

    folder: str
    samples: int
    segments: int
    nbytes: int
    sources: str


@dataclass(frozen=True, slots=True)
class _Subset:
    """The size and the rule of a subset: `taken` of the `population`, counted in `unit`."""

    parent: str
    taken: int
    population: int
    unit: str
    rule: Sequence[str]


def _row(header: CorpusHeader, folder: str) -> _Row:
    totals, sources = header.totals[folder], header.source_totals[folder]
    return _Row(
        folder,
        totals["samples"],
        totals["segments"],
        totals["bytes"],
        counts_text({source: counts["samples"] for source, counts in sources.items()}),
    )


def _places(header: CorpusHeader) -> list[str]:
    """The field of each source that says where its pictures lie, by its path in the manifest."""
    paths = []
    for source in header.manifest["sources"]:
        kind = source_kinds().get(str(source.get("type")))
        given = [name for name in sorted(kind.places) if source.get(name)] if kind else []
        others = [name for name in given if name not in Source.places]
        field = (others or given or ["FIELD"])[0]
        paths.append(as_code(f"sources.{source['name']}.{field}").strip("`"))
    return paths


def _first_shard(header: CorpusHeader, folder: str) -> str:
    """The first shard of a folder that has a tar; corpora of the first builds state no counts."""
    shards = header.shards[folder]
    counts = header.samples.get(folder, (1,) * len(shards))
    return next(shard for shard, count in zip(shards, counts, strict=True) if count)


def _subset(header: CorpusHeader) -> _Subset | None:
    rule = header.identity.get("subset")
    if rule is None or header.parent is None:
        return None
    unit = "shards" if rule.get("whole") else "samples"
    parts = [f"seed {rule['seed']}"] if "seed" in rule else []
    parts += [f"strata {as_code(rule['strata'])}"] if rule.get("strata") else []
    parts += [f"where {as_code(rule['where'])}"] if rule.get("where") else []
    return _Subset(header.parent["name"], rule[unit], rule["from"], unit, parts)


@lru_cache(maxsize=1)
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("sgt_data", "publish"),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"line": as_line, "code": as_code, "thousands": "{:,}".format}
    return environment.get_template("card.md.jinja")
