"""The card of a published corpus: the README.md of its repository.

The text is that of the template `card.md.jinja`. The same corpus always has the same card.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import yaml

from sgt_data.corpus.header import CorpusHeader
from sgt_data.corpus.paths import INPUT, every_tar, tar_path
from sgt_data.publish.hub import MAIN, repository_url
from sgt_data.publish.licences import counts_text
from sgt_data.publish.push_plan import PushPlan

if TYPE_CHECKING:
    from jinja2 import Template

MARKER = "<!-- Written by sgt-data push, which writes it anew; without this line it is kept. -->"
"""A line of every card; a README.md that lacks it was written by a person."""

_TAGS = ["sgt_data", "webdataset", "image-generation", "semantic-generative-tuning"]


def corpus_card(plan: PushPlan, repo: str, revision: str = MAIN) -> str:
    """The card of a corpus, as Markdown.

    Args:
        plan: what is published of the corpus.
        repo: name of the repository, `owner/name`.
        revision: name of the branch.
    """
    header = plan.header
    folders = _folders(header)
    proxy = next(folder for folder in folders if folder != INPUT)
    shard = header.shards[proxy][0] if header.shards[proxy] else "SHARD"
    files = f"https://huggingface.co/datasets/{repo}/resolve/{quote(revision, safe='')}"
    return _template().render(
        front_matter=_front_matter(header.name, folders),
        marker=MARKER,
        header=header,
        rows=[_row(plan, folder) for folder in folders],
        left_out=plan.left_out,
        subset=_subset(header),
        without_pictures=INPUT in header.left_out,
        shared_inputs=INPUT in header.totals,
        url=repository_url(repo, revision),
        example_folder=proxy,
        example_tar=f"{files}/{tar_path(proxy, shard)}",
    )


def is_card(readme: bytes) -> bool:
    """Whether a README.md is a card that a push wrote, and not a person's own text."""
    return MARKER.encode() in readme


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the card's table."""

    folder: str
    samples: int
    segments: int
    nbytes: int
    sources: str
    licences: str


@dataclass(frozen=True, slots=True)
class _Subset:
    """The size and the rule of a subset: `taken` of the `population`, counted in `unit`."""

    parent: str
    taken: int
    population: int
    unit: str
    rule: Sequence[str]


def _folders(header: CorpusHeader) -> list[str]:
    """The folders that hold samples: proxies in the order of the manifest, then shared inputs."""
    proxies = [proxy["name"] for proxy in header.manifest["proxies"]]
    return [folder for folder in (*proxies, INPUT) if folder in header.totals]


def _front_matter(name: str, folders: Sequence[str]) -> str:
    """The YAML that the Hub reads at the beginning of a card."""
    configs: list[dict[str, Any]] = [
        {"config_name": folder, "data_files": every_tar(folder)} for folder in folders
    ]
    configs[0]["default"] = True
    fields = {
        "license": "other",
        "pretty_name": " ".join(name.split()),
        "task_categories": ["image-to-image"],
        "tags": _TAGS,
        "configs": configs,
    }
    text: str = yaml.safe_dump(fields, sort_keys=False, allow_unicode=True)
    return text


def _row(plan: PushPlan, folder: str) -> _Row:
    totals, sources = plan.header.totals[folder], plan.header.source_totals[folder]
    return _Row(
        folder,
        totals["samples"],
        totals["segments"],
        totals["bytes"],
        counts_text({source: counts["samples"] for source, counts in sources.items()}),
        counts_text(plan.licences[folder]),
    )


def _subset(header: CorpusHeader) -> _Subset | None:
    rule = header.identity.get("subset")
    if rule is None or header.parent is None:
        return None
    unit = "shards" if rule.get("whole") else "samples"
    parts = [f"seed {rule['seed']}"] if "seed" in rule else []
    parts += [f"strata {_code(rule['strata'])}"] if rule.get("strata") else []
    parts += [f"where {_code(rule['where'])}"] if rule.get("where") else []
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
    environment.filters |= {"line": _line, "code": _code, "thousands": "{:,}".format}
    return environment.get_template("card.md.jinja")


def _line(text: object) -> str:
    """Text on one line of Markdown, in which none of its signs has a meaning."""
    plain = " ".join(str(text).split())
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>|#" else sign for sign in plain)


def _code(text: object) -> str:
    """Text as code within a line of Markdown."""
    plain = " ".join(str(text).split()).replace("`", "'")
    return f"`{plain}`"
