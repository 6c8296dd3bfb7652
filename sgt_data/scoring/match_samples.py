"""Match drawings with the samples of a corpus: which have one, which have none, what is left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.errors import RequestError
from sgt_data.scoring.drawing_pixels import drawing_of_array
from sgt_data.scoring.drawn_files import DrawnFile, DrawnFiles
from sgt_data.scoring.measures import MEASURED_TYPES
from sgt_data.scoring.score_samples import SampleToScore
from sgt_data.value_text import counted, cut

NAMED = 5
"""Missing, extra and unreadable drawings that are named of each proxy; of more, their number."""


@dataclass(slots=True)
class Extra:
    """Drawings that belong to no sample that is scored.

    Attributes:
        count: how many.
        names: of the first ones.
    """

    count: int = 0
    names: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        """Count one more."""
        self.count += 1
        if len(self.names) < NAMED:
            self.names.append(name)


def proxies_to_score(
    corpus: Corpus, files: DrawnFiles, asked: Sequence[str]
) -> dict[str, dict[str, DrawnFile]]:
    """The files of drawings by proxy and key, of the proxies that are scored.

    Args:
        corpus: whose proxies.
        files: what was found.
        asked: names of proxies; none for those that the files' paths name.

    Raises:
        RequestError: nothing says for which proxy the drawings are.
    """
    by_proxy = dict(files.by_proxy)
    without = by_proxy.pop("", {})
    scored = list(asked) or [
        proxy for proxy in corpus.proxies if proxy in by_proxy and _has_measures(corpus, proxy)
    ]
    if not scored and len(corpus.proxies) == 1:
        scored = list(corpus.proxies)
    if not scored and without:
        example = next(iter(without.values())).name
        raise RequestError(
            f"{corpus.url} has {counted(len(corpus.proxies), 'proxy')} "
            f"({', '.join(corpus.proxies)}), and nothing says for which of them the drawings are, "
            f"such as {cut(example, 120)}: name it with --proxy (in Python: proxy=), or put them "
            f"into folders, {corpus.proxies[0]}/KEY.png"
        )
    if not scored:
        raise RequestError(
            "no drawing was found; drawings are pictures that are named for the keys of samples, "
            f"KEY.png or KEY.target.png{_instead(files)}"
        )
    matched = {proxy: dict(by_proxy.get(proxy, {})) for proxy in scored}
    if len(scored) == 1 and without:
        of_proxy = matched[scored[0]]
        for key, drawn in without.items():
            if key in of_proxy:
                raise RequestError(
                    f"two files are drawings of {key} for {scored[0]}: "
                    f"{cut(of_proxy[key].name, 120)} and {cut(drawn.name, 120)}; take one away"
                )
            of_proxy[key] = drawn
    return matched


def _has_measures(corpus: Corpus, proxy: str) -> bool:
    kinds = {each["name"]: each["type"] for each in corpus.header.manifest["proxies"]}
    return kinds[proxy] in MEASURED_TYPES


def _instead(files: DrawnFiles) -> str:
    """What was found in place of drawings."""
    if files.nameless:
        return f"; found {cut(files.nameless[0], 120)}, whose name is no key"
    if files.passed_over:
        return f"; found {counted(files.passed_over, 'file')} that are none"
    return ""


def samples_with_files(
    corpus: Corpus, matched: Mapping[str, Mapping[str, DrawnFile]], extra: Mapping[str, Extra]
) -> Iterator[SampleToScore]:
    """All samples of the proxies that are scored, in the order of the corpus.

    Args:
        corpus: whose samples.
        matched: files by proxy and key.
        extra: by proxy; gets the files of no sample.
    """
    number = 0
    for proxy, files in matched.items():
        left = dict(files)
        for shard in corpus.shards(proxy):
            for row in range(corpus.reader.count(proxy, shard)):
                key = corpus.reader.key(proxy, shard, row)
                yield SampleToScore(number, proxy, shard, row, key, left.pop(key, None))
                number += 1
        for drawn in left.values():
            extra[proxy].add(drawn.name)


def samples_with_arrays(
    corpus: Corpus, proxy: str, drawings: Iterable[Any], extra: Extra
) -> Iterator[SampleToScore]:
    """The samples of a proxy as their drawings come; at the end those without one.

    Args:
        corpus: whose samples.
        proxy: for which the drawings are.
        drawings: pairs of a key and a picture; see `drawing_of_array`.
        extra: gets the keys of no sample.

    Raises:
        RequestError: an item is no such pair, or a key comes twice.
    """
    places: dict[str, tuple[int, str, int]] = {}
    for shard in corpus.shards(proxy):
        for row in range(corpus.reader.count(proxy, shard)):
            places[corpus.reader.key(proxy, shard, row)] = len(places), shard, row
    seen: set[str] = set()
    for item in drawings:
        if not (isinstance(item, tuple | list) and len(item) == 2 and isinstance(item[0], str)):
            raise RequestError(
                f"drawn: found {cut(item)}; allowed: pairs of a key and a picture, (str, uint8 "
                "[H, W, 3])"
            )
        key, value = item
        if key in seen:
            raise RequestError(f"drawn: two drawings of {cut(key)}; give one")
        seen.add(key)
        if key not in places:
            extra.add(key)
            continue
        number, shard, row = places[key]
        yield SampleToScore(number, proxy, shard, row, key, drawing_of_array(key, value))
    for key, (number, shard, row) in places.items():
        if key not in seen:
            yield SampleToScore(number, proxy, shard, row, key, None)
