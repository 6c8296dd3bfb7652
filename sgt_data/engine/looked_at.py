"""Look at a few pictures of every source before a build, so that a wrong folder shows at once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field

from sgt_data.engine.listing import Listing
from sgt_data.errors import InputError, RequestError, SourceError
from sgt_data.pictures.decode_source import inspect
from sgt_data.plugins.origins import origin_of
from sgt_data.records import RawInput, Slice
from sgt_data.sources.base import Source
from sgt_data.sources.fetch_input import fetched
from sgt_data.value_text import counted

_SLICES, _INPUTS = 4, 4
"""So many slices are looked at, and so many of the first inputs of each."""


@dataclass(frozen=True, slots=True)
class LookedAt:
    """What came of a look at some pictures of a source.

    Attributes:
        source: name of the source.
        count: pictures that were looked at.
        of: pictures that there are.
        problems: why some of them cannot be read.
    """

    source: str
    count: int
    of: int
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        looked = f"{self.source}: looked at {self.count:,} of {counted(self.of, 'picture')}"
        if not self.problems:
            return f"{looked}, which can be read"
        return f"{looked}; {len(self.problems):,} cannot be read: {self.problems[0]}"


def look_at_pictures(listing: Listing) -> list[LookedAt]:
    """Read some pictures of every source; sources of own code are left out.

    Raises:
        RequestError: none of the pictures of a source can be read; names the first and the reason.
    """
    looks = []
    for source in listing.manifest.typed_sources():
        slices = [piece for piece in listing.inventories[source.name].slices if piece.pictures]
        look = _look(source, slices)
        if look.count and len(look.problems) == look.count:
            given = [name for name in sorted(source.places) if getattr(source, name)]
            places = ", ".join(f"sources.{source.name}.{name}" for name in given)
            raise RequestError(
                f"source {source.name}: none of the {look.count} pictures that were looked at can "
                f"be read. The first: {look.problems[0]}. Do the places of the source ({places}) "
                "belong together?"
            )
        looks += [look] if look.count else []
    return looks


def forecast_losses(listing: Listing, looks: Sequence[LookedAt]) -> list[str]:
    """Why a build would fail by its `max_quarantined`, as far as is known before it; a sentence
    each. What a listing knows is counted; the rest is judged by the pictures that were looked at.
    """
    bound = listing.manifest.max_quarantined
    lines = []
    for folder, sources in listing.sources_of.items():
        inventories = [listing.inventories[source] for source in sources]
        every = sum(piece.pictures for each in inventories for piece in each.slices)
        unreadable = sum(each.unreadable for each in inventories)
        seen = [look for look in looks if look.source in sources]
        count = sum(look.count for look in seen)
        more = sum(len(look.problems) for look in seen) - unreadable
        if unreadable > bound * every:
            share, of = unreadable / every, f"{unreadable:,} of {counted(every, 'picture')}"
        elif more > bound * count:
            share, of = more / count, f"{more:,} of {counted(count, 'picture')} that were looked at"
        else:
            continue
        lines.append(
            f"{folder}: {of} cannot be read ({share:.1%}), max_quarantined allows {bound:.1%}; the "
            "build would fail. Put the files in place, or allow more with --max-quarantined SHARE"
        )
    return lines


def _look(source: Source, slices: Sequence[Slice]) -> LookedAt:
    count, problems = 0, []
    for piece in _spread(slices):
        beginning = source.beginning(piece, _INPUTS)
        if beginning is None or origin_of(type(source)):
            continue
        try:
            with closing(source.read(beginning, _INPUTS, ())) as shards:  # type: ignore[type-var]
                inputs = next(shards).inputs[:_INPUTS]
        except SourceError as why:
            count += 1
            problems.append(f"{piece.name}: {why}")
            continue
        except StopIteration:
            continue
        count += len(inputs)
        problems += [_named(raw, problem) for raw in inputs if (problem := _problem(raw))]
    return LookedAt(source.name, count, sum(piece.pictures for piece in slices), problems)


def _spread(slices: Sequence[Slice]) -> list[Slice]:
    """Some slices, spread over all of them, the first among them."""
    step = max(1, -(-len(slices) // _SLICES))
    return list(slices[::step])


def _named(raw: RawInput, problem: str) -> str:
    return problem if raw.member in problem else f"{raw.member}: {problem}"


def _problem(raw: RawInput) -> str | None:
    """Why an input has no picture; None where it has one."""
    try:
        raw = fetched(raw)
        if raw.problem is None:
            inspect(raw.picture)
    except (InputError, SourceError) as why:
        return str(why)
    return raw.problem
