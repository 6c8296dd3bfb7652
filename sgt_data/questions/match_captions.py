"""Which pictures of a corpus captions are about, and why some captions are left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sgt_data import checks
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.reasons import lost_inputs
from sgt_data.errors import RequestError
from sgt_data.questions.caption_plan import CaptionPlan
from sgt_data.questions.read_captions import CaptionsOfPictures, ReadCaption
from sgt_data.questions.splits import exact_shares, split_of
from sgt_data.value_text import cut

NO_PICTURE = "the corpus has no such picture"
PICTURE_LEFT_OUT = "the corpus left its picture out, see its quarantine"
NO_SPLIT = "its picture is in no split"

_COLUMNS = ("key", "source", "member", "target_extension")


@dataclass(frozen=True, slots=True)
class CaptionedPicture:
    """A picture of a corpus with captions.

    Attributes:
        key: of its sample.
        shard: that holds the sample.
        split: that the picture is in.
        extension: of what is drawn, `jpg` or `png`.
        captions: of the picture.
    """

    key: str
    shard: str
    split: str
    extension: str
    captions: Sequence[ReadCaption]


@dataclass(frozen=True, slots=True)
class MatchedCaptions:
    """The captions that are written.

    Attributes:
        pictures: that have captions, by key.
        without_caption: pictures of the corpus that have none.
        left_out: how many captions are not written, by reason.
    """

    pictures: Sequence[CaptionedPicture]
    without_caption: int
    left_out: Mapping[str, int]

    def counts(self, splits: Sequence[str]) -> dict[str, Any]:
        """The counts that a report states."""
        tasks: dict[str, Counter[str]] = {split: Counter() for split in splits}
        for picture in self.pictures:
            tasks[picture.split].update(caption.task for caption in picture.captions)
        return {
            "written": sum(len(picture.captions) for picture in self.pictures),
            "pictures": len(self.pictures),
            "pictures_without_caption": self.without_caption,
            "splits": {split: dict(sorted(counts.items())) for split, counts in tasks.items()},
            "left_out": dict(sorted(self.left_out.items())),
        }


def match_captions(
    corpus: Corpus, proxy: str, read: CaptionsOfPictures, plan: CaptionPlan
) -> MatchedCaptions:
    """Find the picture of each caption by the name that it has in its source.

    Args:
        corpus: opened.
        proxy: whose samples hold what is drawn.
        read: the captions.
        plan: splits, and which source is meant.

    Raises:
        RequestError: there is no such source, or two sources have pictures of one name.
    """
    shares = exact_shares(plan.shares)
    left_out, source_of = read.left_out.copy(), dict[str, str]()
    captioned: list[CaptionedPicture] = []
    without = 0
    for shard, row in _pictures(corpus, proxy, plan.source):
        captions = read.by_name.get(row["member"])
        if captions is None:
            without += 1
            continue
        if (other := source_of.setdefault(row["member"], row["source"])) != row["source"]:
            raise RequestError(
                f"source: the sources {other} and {row['source']} both have a picture "
                f"{cut(row['member'], 80)}; name the one that the captions are about"
            )
        split = split_of(row["key"], shares, plan.seed)
        if split is None:
            left_out[NO_SPLIT] += len(captions)
        else:
            extension = "jpg" if plan.draw is None else row["target_extension"]
            captioned.append(CaptionedPicture(row["key"], shard, split, extension, captions))
    lost = _left_out_pictures(corpus, proxy, plan.source)
    for name, captions in read.by_name.items():
        if name not in source_of:
            left_out[PICTURE_LEFT_OUT if name in lost else NO_PICTURE] += len(captions)
    captioned.sort(key=lambda picture: picture.key)
    return MatchedCaptions(captioned, without, left_out)


def _pictures(
    corpus: Corpus, proxy: str, source: str | None
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Shard and row of the index of each picture of the source."""
    sources = [entry["name"] for entry in corpus.header.manifest["sources"]]
    if source is not None:
        checks.one_of("source", source, sources)
    for shard in corpus.shards(proxy):
        index = corpus.index(proxy, shard, _COLUMNS)
        for row in index.to_pylist():
            if source in (None, row["source"]):
                yield shard, row


def _left_out_pictures(corpus: Corpus, proxy: str, source: str | None) -> set[str]:
    """Names of pictures that the ledgers of the corpus name; none for a subset, which has none."""
    totals = corpus.header.totals.get(proxy, {})
    if corpus.selection is not None or not totals.get("damaged", 0) + totals.get("filtered", 0):
        return set()
    return {
        row["member"]
        for shard in corpus.shards(proxy)
        for row in lost_inputs(corpus.url, proxy, shard)
        if source in (None, row["source"])
    }
