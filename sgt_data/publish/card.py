"""The card of a corpus: the README.md of its repository. The same corpus has the same card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import yaml

from sgt_data.corpus.header import CorpusHeader
from sgt_data.corpus.layout import INPUT, tar_path
from sgt_data.publish.hub import MAIN, repository_url
from sgt_data.publish.licences import counted

MARKER = "<!-- Written by sgt-data push, which writes it anew; without this line it is kept. -->"

_TAGS = ["sgt_data", "webdataset", "image-generation", "semantic-generative-tuning"]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A folder that stays behind: how many samples and bytes it has."""

    folder: str
    samples: int
    nbytes: int


def corpus_card(
    header: CorpusHeader,
    licences: Mapping[str, Mapping[str, int]],
    left_out: Sequence[LeftOut],
    repo: str,
    revision: str = MAIN,
) -> str:
    """The card's text.

    Args:
        header: of the corpus as it is published, complete.
        licences: samples by folder and licence.
        left_out: what it lacks.
        repo, revision: where it is published.
    """
    parts = [
        f"---\n{_front_matter(header)}---",
        MARKER,
        f"# {_line(header.name)}",
        _what_it_is(header),
        _table(header, licences),
        _left_out(header, left_out),
        _origin(header),
        _reading(header, repo, revision),
        _fingerprints(header),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def is_ours(card: bytes) -> bool:
    """Whether a README.md is one of these cards, and not a person's own."""
    return MARKER.encode() in card


def _front_matter(header: CorpusHeader) -> str:
    configs: list[dict[str, Any]] = [
        {"config_name": folder, "data_files": tar_path(folder, "*")} for folder in _folders(header)
    ]
    configs[0]["default"] = True
    fields = {
        "license": "other",
        "pretty_name": " ".join(header.name.split()),
        "task_categories": ["image-to-image"],
        "tags": _TAGS,
        "configs": configs,
    }
    text: str = yaml.safe_dump(fields, sort_keys=False, allow_unicode=True)
    return text


def _what_it_is(header: CorpusHeader) -> str:
    picture = "" if INPUT in header.left_out else "`KEY.input.jpg`, "
    text = (
        "Training targets for image generation: picture + instruction in, target picture out. A "
        f"corpus of `sgt_data`, as WebDataset tars: {picture}`KEY.target.png` (or `.jpg`), "
        "`KEY.txt` (the instruction), `KEY.json` (all it takes to decode the target)."
    )
    if INPUT in header.totals:
        text += " Pictures lie once below `input/`; proxies that condition on them have none."
    return text


def _table(header: CorpusHeader, licences: Mapping[str, Mapping[str, int]]) -> str:
    rows = [
        "| proxy | samples | segments | bytes | sources | licences |",
        "|---|---|---|---|---|---|",
    ]
    for folder in _folders(header):
        totals = header.totals[folder]
        sources = {
            source: counts["samples"] for source, counts in header.source_totals[folder].items()
        }
        numbers = [f"{totals[name]:,}" for name in ("samples", "segments", "bytes")]
        cells = [f"`{folder}`", *numbers, _line(counted(sources)), _line(counted(licences[folder]))]
        rows.append(f"| {' | '.join(cells)} |")
    note = (
        "Licences are those of the pictures that targets were drawn from; every sample's JSON and "
        "the index repeat its own."
    )
    return "\n".join(rows) + f"\n\n{note}"


def _left_out(header: CorpusHeader, folders: Sequence[LeftOut]) -> str:
    if not folders:
        return ""
    listed = "; ".join(
        f"`{one.folder}` ({one.samples:,} samples, {one.nbytes:,} bytes)" for one in folders
    )
    text = (
        f"**Left out**, as not everyone may pass the pictures on: {listed}. Every sample names its "
        "picture by source, member and SHA-256."
    )
    if header.parent is not None:
        return text
    return (
        f"{text} Who has them builds the same manifest from them on top of a copy of this "
        "repository: what is there is kept, what was left out is added."
    )


def _origin(header: CorpusHeader) -> str:
    rule = header.identity.get("subset")
    if rule is None or header.parent is None:
        return ""
    kind = "shards" if rule.get("whole") else "samples"
    how = [f"seed {rule['seed']}"] if "seed" in rule else []
    how += [f"strata {_code(rule['strata'])}"] if rule.get("strata") else []
    how += [f"where {_code(rule['where'])}"] if rule.get("where") else []
    return (
        f"**A subset** of the corpus {_code(header.parent['name'])}: {rule[kind]:,} of "
        f"{rule['from']:,} {kind}" + (f" ({', '.join(how)})" if how else "") + ". Subsets by one "
        "rule are nested."
    )


def _reading(header: CorpusHeader, repo: str, revision: str) -> str:
    folder = next(one for one in _folders(header) if one != INPUT)
    shard = header.shards[folder][0] if header.shards[folder] else "SHARD"
    files = f"https://huggingface.co/datasets/{repo}/resolve/{quote(revision, safe='')}"
    tar = f"{files}/{tar_path(folder, shard)}"
    webdataset = f'samples = webdataset.WebDataset("{tar}")  # any WebDataset reader'
    if INPUT in header.left_out:
        return f"```python\n{webdataset}\n```"
    return (
        "```python\n"
        f'stream = sgt_data.Stream({{"{repository_url(repo, revision)}": ["{folder}"]}}, '
        "batch_size=8)\n"
        "for batch in stream:\n"
        '    batch["samples"]  # input, target, instruction, key, facts\n\n'
        f"{webdataset}\n```"
    )


def _fingerprints(header: CorpusHeader) -> str:
    listed = "\n".join(f"- `{name}` `{one}`" for name, one in sorted(header.fingerprints.items()))
    return f"Fingerprints of the build:\n\n{listed}"


def _folders(header: CorpusHeader) -> list[str]:
    """Those that hold samples: proxies first."""
    proxies = [proxy["name"] for proxy in header.manifest["proxies"]]
    return [folder for folder in (*proxies, INPUT) if folder in header.totals]


def _line(text: object) -> str:
    """Text of a corpus within a line of Markdown, in which it means nothing."""
    plain = " ".join(str(text).split())
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>|#" else sign for sign in plain)


def _code(text: object) -> str:
    """The same as code, in which only its own end means something."""
    plain = " ".join(str(text).split()).replace("`", "'")
    return f"`{plain}`"
