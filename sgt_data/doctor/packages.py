"""Packages: those of the base, and the extras with what each brings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, requires, version

from sgt_data.doctor.check import Check
from sgt_data.extras import install_hint

BROUGHT_BY: Mapping[str, str] = {
    "annotate": "annotators: Depth Anything, Segment Anything, learned edges; `sgt-data annotate`",
    "train": "the trainer and the experiments: `sgt-data train`, `sgt-data experiment`",
    "score": "the page and the edges of `sgt-data score`",
    "scale": "expressions: `sgt-data scale --where`",
    "hub": "the Hugging Face Hub: `sgt-data push`, hf:// URLs",
    "s3": "s3:// URLs",
    "gs": "gs:// URLs",
}
"""By extra: what it is for."""

_REQUIREMENT = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])?\s*(?:>=(?P<least>[0-9.]+))?[^;]*"
    r"(?:;.*extra == ['\"](?P<extra>[a-z0-9-]+)['\"])?"
)


def package_checks() -> Iterator[Check]:
    """Findings on the base and on every extra."""
    lacking = _lacking_by_extra()
    yield base_check()
    for extra, purpose in BROUGHT_BY.items():
        names = lacking.get(extra, [])
        if not names:
            yield Check(f"extra {extra}", "good", purpose)
        else:
            text = f"not installed ({', '.join(names)}); {purpose}"
            yield Check(f"extra {extra}", "note", text, install_hint(extra))


def base_check() -> Check:
    """Finding on the packages that all work needs."""
    base = _lacking_by_extra().get("", [])
    return Check(
        "packages",
        "lacks" if base else "good",
        ", ".join(base) if base else f"sgt-data {version('sgt-data')}, and all that it needs",
        install_hint() if base else "",
    )


def _lacking_by_extra() -> dict[str, list[str]]:
    """By extra, `""` the base: the packages that are missing or too old."""
    lacking: dict[str, list[str]] = {}
    for line in requires("sgt-data") or ():
        match = _REQUIREMENT.match(line)
        if match is None or (problem := _problem(match["name"], match["least"])) is None:
            continue
        lacking.setdefault(match["extra"] or "", []).append(problem)
    return lacking


def _problem(name: str, least: str | None) -> str | None:
    try:
        present = version(name)
    except PackageNotFoundError:
        return name
    if least is not None and _numbers(present) < _numbers(least):
        return f"{name} {present}, which is older than {least}"
    return None


def _numbers(text: str) -> tuple[int, ...]:
    """The leading numbers of a version: 2.13.0+cpu is 2, 13, 0."""
    match = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(map(int, match.group().split("."))) if match else ()
