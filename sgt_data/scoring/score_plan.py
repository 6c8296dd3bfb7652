"""What is scored: which proxies, which samples, and what was drawn for each of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.errors import RequestError
from sgt_data.files.urls import Location
from sgt_data.scoring.drawing_pixels import drawing_of_array, drawing_of_file
from sgt_data.scoring.drawn_files import DrawnFile, DrawnFiles, list_drawn
from sgt_data.scoring.match_samples import (
    Extra,
    proxies_to_score,
    samples_with_arrays,
    samples_with_files,
)
from sgt_data.scoring.measure import Drawing
from sgt_data.scoring.score_samples import SampleToScore
from sgt_data.value_text import counted, cut

Drawn = Location | Sequence[Location] | Mapping[str, Any] | Iterable[tuple[str, Any]]
"""Where drawings lie (a folder, a tar, a pattern, or several), or the drawings by key."""


@dataclass(slots=True)
class ScorePlan:
    """What is scored.

    Attributes:
        proxies: their names.
        samples: with their drawings, each once.
        total: how many samples.
        extra: by proxy, drawings of no sample.
        files: what lies at the places of drawings.
        again: by proxy and key, drawings that can be looked at when all are scored: files, or
            pictures of a mapping; empty where they come but once.
    """

    proxies: tuple[str, ...]
    samples: Iterator[SampleToScore]
    total: int
    extra: dict[str, Extra]
    files: DrawnFiles
    again: Mapping[str, Mapping[str, Any]]

    def look_again(self, proxy: str, key: str) -> Drawing | None:
        """A drawing that was measured; None where it came but once."""
        if key not in self.again.get(proxy, {}):
            return None
        drawn = self.again[proxy][key]
        if isinstance(drawn, DrawnFile):
            return drawing_of_file(drawn.read())
        return drawing_of_array(key, drawn)

    def notes(self) -> Iterator[str]:
        """What a person should know of the drawings."""
        yield from self.files.notes
        if nameless := self.files.nameless:
            yield (
                f"{counted(len(nameless), 'picture')} whose name is no key, such as "
                f"{cut(nameless[0], 100)}"
            )
        if self.files.passed_over:
            yield f"passed over, as no drawings: {counted(self.files.passed_over, 'file')}"
        others = [name for name in self.files.by_proxy if name and name not in self.proxies]
        if others:
            yield f"drawings for other proxies, not scored: {', '.join(others)}"
        beside = self.files.by_proxy.get("", {})
        if beside and len(self.proxies) > 1:
            yield (
                f"{counted(len(beside), 'drawing')} in no proxy's folder, not scored, such as "
                f"{cut(next(iter(beside.values())).name, 100)}"
            )


def plan_score(corpus: Corpus, drawn: Drawn, asked: Sequence[str]) -> ScorePlan:
    """Find the drawings, and match them with samples.

    Args:
        corpus: whose samples.
        drawn: places of files, or the drawings themselves.
        asked: names of proxies; none for those that the files' paths name.

    Raises:
        RequestError: nothing is scored by this request.
    """
    places = _places(drawn)
    again: Mapping[str, Mapping[str, Any]] = {}
    if places is not None:
        files = list_drawn(places, corpus.proxies)
        matched = proxies_to_score(corpus, files, asked)
        extra = {proxy: Extra() for proxy in matched}
        samples = samples_with_files(corpus, matched, extra)
        proxies, again = tuple(matched), matched
    else:
        files = DrawnFiles()
        proxies = tuple(asked or corpus.proxies)
        if len(proxies) != 1:
            raise RequestError(
                f"proxy: found {', '.join(proxies)}; drawings that are no files are for one proxy: "
                f"give its name, such as proxy={proxies[0]!r}"
            )
        extra = {proxies[0]: Extra()}
        if isinstance(drawn, Mapping):
            again = {proxies[0]: drawn}
        pairs = drawn.items() if isinstance(drawn, Mapping) else drawn
        samples = samples_with_arrays(corpus, proxies[0], pairs, extra[proxies[0]])  # type: ignore[arg-type]
    total = sum(sum(corpus.samples_per_shard(proxy)) for proxy in proxies)
    if not total:
        raise RequestError(f"{corpus.url} has no samples of {', '.join(proxies)}")
    return ScorePlan(proxies, samples, total, extra, files, again)


def _places(drawn: Drawn) -> list[Location] | None:
    """The places of files; None where the drawings themselves are given."""
    if isinstance(drawn, str | PathLike):
        return [drawn]
    if isinstance(drawn, Mapping):
        return None
    if isinstance(drawn, list | tuple) and all(isinstance(each, str | PathLike) for each in drawn):
        if not drawn:
            raise RequestError("drawn is empty; give a folder, files, or pairs of key and picture")
        return list(drawn)
    if isinstance(drawn, Iterable):
        return None
    raise RequestError(
        f"drawn: found {cut(drawn)}; allowed: a path or URL, several of them, a mapping of keys "
        "to pictures, or pairs of these"
    )
