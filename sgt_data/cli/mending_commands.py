"""The commands that make anew what a corpus or a copy of a subset lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sgt_data.cli.output import command_text

_OPTIONS: Mapping[str, str | None] = {
    "seed": None, "strata": "source", "where": None, "described_by": None,
}  # fmt: skip
"""Options of `scale` that a subset's rule records by the same names, with their defaults."""


def mending_command(corpus: str) -> str:
    """The command that mends a corpus; where it cannot be told, the one that shows the corpus."""
    from sgt_data.corpus.paths import CORPUS_FILE
    from sgt_data.errors import SgtDataError
    from sgt_data.files.urls import join
    from sgt_data.manifest.manifest import load_manifest
    from sgt_data.subsets.open_corpus import open_corpus

    header = join(corpus, CORPUS_FILE)
    try:
        rule, parent = (opened := open_corpus(corpus).header).identity.get("subset"), opened.parent
        if parent is not None and rule is not None:
            return _copying_command(corpus, rule, str(parent["url"]))
        load_manifest(header)
    except SgtDataError:
        return command_text("info", corpus)
    return command_text("build", header, "--output", corpus)


def _copying_command(copy: str, rule: Mapping[str, Any], parent: str) -> str:
    """The command that copies a subset again; where its rule is no choice by `scale`, the one that
    shows the copy."""
    if rule.get("of") or "from" not in rule:
        return command_text("info", copy)
    options: list[str | int]
    if rule["whole"]:
        options = ["--shards", "--fraction", f"{rule['shards'] / rule['from']:.9g}"]
    else:
        options = ["--samples", rule["samples"]]
    for name, by_default in _OPTIONS.items():
        if rule.get(name, by_default) != by_default:
            options += [f"--{name.replace('_', '-')}", rule[name]]
    return command_text("scale", parent, *options, "--output", copy)
