"""Draw a target by own code, and check what it returns before anything is stored."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

import orjson
from PIL import Image

from sgt_data.errors import CorpusError
from sgt_data.facts import drawn_segments
from sgt_data.plugins.member import is_own
from sgt_data.plugins.own_code import mistake, own_code
from sgt_data.proxies.base import Proxy, Subject
from sgt_data.records import DrawnTarget
from sgt_data.suggestions import did_you_mean
from sgt_data.value_text import cut

_Read = TypeVar("_Read")

_FORMS = {"png": "PNG", "jpg": "JPEG"}
_TAKEN = frozenset(
    {"version", "minor", "key", "seed", "source", "size", "proxy", "type", "tier", "instruction"}
)
"""Keys of a sample's JSON that are the same for every proxy."""


def draw_checked(proxy: Proxy, subject: Subject) -> DrawnTarget:
    """Draw the target of a picture; a mistake of own code ends the build.

    Raises:
        InputError: the picture cannot become a sample.
        OwnCodeError: `draw` made a mistake, or returned what cannot be stored; says what is right.
    """
    if not is_own(type(proxy)):
        return proxy.draw(subject)
    with own_code(proxy, "draw", subject.key):
        drawn: Any = proxy.draw(_with_known_layers(proxy, subject))
    problem = _problem(drawn, proxy, subject)
    if problem:
        raise mistake(proxy, "draw", subject.key, problem)
    checked: DrawnTarget = drawn
    return checked


def check_decodes(proxy: Proxy, target: bytes, facts: Mapping[str, Any]) -> None:
    """Check that a target of own code decodes again; done for the first sample of a shard.

    Args:
        proxy: that drew the target.
        target: bytes of the target.
        facts: the sample's JSON.

    Raises:
        OwnCodeError: `decode` made a mistake, or does not accept what `draw` has made.
    """
    if not is_own(type(proxy)):
        return
    key = str(facts["key"])
    with own_code(proxy, "decode", key):
        try:
            problems: Any = type(proxy).contradictions(target, orjson.loads(orjson.dumps(facts)))
        except CorpusError as why:
            problems = [str(why)]
    if not isinstance(problems, list):
        problem = f"it returned {_shown(problems)}; right is a list of sentences"
        raise mistake(proxy, "contradictions", key, problem)
    if problems:
        raise mistake(proxy, "decode", key, f"it refuses what draw has made: {problems[0]}")


def _with_known_layers(proxy: Proxy, subject: Subject) -> Subject:
    """The subject, which names a layer that nobody gives instead of answering None."""

    def known(read: Callable[[str], _Read]) -> Callable[[str], _Read]:
        def read_known(layer: str) -> _Read:
            if layer not in subject.layers:
                given = ", ".join(sorted(subject.layers)) or "no layers"
                near = did_you_mean(str(layer), subject.layers)
                raise mistake(
                    proxy, "draw", subject.key,
                    f"it asks for the layer {cut(layer, 40)}; this picture has {given}{near}. A "
                    "proxy says what it needs: needs: ClassVar[frozenset[Layer]]",
                )  # fmt: skip
            return read(layer)

        return read_known

    return replace(
        subject,
        annotation=known(subject.annotation),
        dense=known(subject.dense),
        layer_data=known(subject.layer_data),
    )


def _problem(drawn: Any, proxy: Proxy, subject: Subject) -> str | None:
    """Why what was drawn cannot be stored."""
    if not isinstance(drawn, DrawnTarget):
        return (
            f"it returned {_shown(drawn)}; right is DrawnTarget(target, extension, facts) of "
            "sgt_data.records"
        )
    return (
        _type_problem(drawn)
        or _picture_problem(drawn, subject)
        or _facts_problem(drawn)
        or _words_problem(drawn, proxy)
    )


def _shown(value: Any) -> str:
    return f"{cut(value, 40)}" if value is None else f"{type(value).__name__} {cut(value, 40)}"


def _type_problem(drawn: DrawnTarget) -> str | None:
    wanted: Mapping[str, tuple[Any, str]] = {
        "target": (bytes, "bytes of a PNG or JPEG file"),
        "facts": (dict, "a dict of JSON values"),
        "picture": (bytes | None, "bytes of a JPEG, or None"),
        "segments": (int, "a number of segments"),
        "categories": (tuple, "a tuple of names"),
        "words": (Mapping, "texts by the names of placeholders"),
    }
    for field in fields(drawn):
        kind, words = wanted.get(field.name, (object, ""))
        value = getattr(drawn, field.name)
        if not isinstance(value, kind):
            return f"{field.name} is {_shown(value)}; right is {words}"
    if drawn.extension not in _FORMS:
        return f"extension is {cut(drawn.extension, 20)}; right is png or jpg"
    return None


def _picture_problem(drawn: DrawnTarget, subject: Subject) -> str | None:
    """Whether target and input are pictures of the output size."""
    size = subject.picture.width, subject.picture.height
    for name, data, form in (
        ("target", drawn.target, _FORMS[drawn.extension]), ("picture", drawn.picture, "JPEG"),
    ):  # fmt: skip
        if data is None:
            continue
        try:
            with Image.open(io.BytesIO(data), formats=[form]) as image:
                drawn_size = image.size
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            return f"{name} is no {form} file ({cut(data, 13)}), which extension says"
        if drawn_size != size:
            return (
                f"{name} is {drawn_size[0]}x{drawn_size[1]} pixels; right is the picture's size, "
                f"{size[0]}x{size[1]} (subject.picture.width, subject.picture.height)"
            )
    return None


def _facts_problem(drawn: DrawnTarget) -> str | None:
    if taken := sorted(_TAKEN & drawn.facts.keys()):
        return f"facts has the key {taken[0]!r}, which every sample has already; take another name"
    if path := _not_json(drawn.facts, "facts"):
        return path
    try:
        count = len(drawn_segments(drawn.facts.get("segments", ())))
    except (TypeError, AttributeError):
        return "facts.segments is no list of objects; that key is for segments (see sgt_data.facts)"
    if count != drawn.segments:
        return (
            f"segments is {drawn.segments}, and facts.segments lists {count} drawn ones; both say "
            "how many segments the target shows: leave segments out, or list them in "
            "facts['segments']"
        )
    return None


def _not_json(value: Any, path: str) -> str | None:
    """The first place of a document that JSON cannot hold."""
    if isinstance(value, dict):
        for name, below in value.items():
            if not isinstance(name, str):
                return f"{path} has the key {cut(name, 40)}, which is no text"
            if problem := _not_json(below, f"{path}.{name}"):
                return problem
        return None
    if isinstance(value, list | tuple):
        problems = (_not_json(each, f"{path}.{index}") for index, each in enumerate(value))
        return next((problem for problem in problems if problem), None)
    try:
        orjson.dumps(value)
    except orjson.JSONEncodeError:
        advice = "; give int(...), float(...) or .tolist()" if hasattr(value, "dtype") else ""
        return f"{path} is {_shown(value)}, which JSON cannot hold{advice}"
    return None


def _words_problem(drawn: DrawnTarget, proxy: Proxy) -> str | None:
    wanted = frozenset[str]().union(*proxy.needed_words())
    if wanted != drawn.words.keys():
        return (
            f"words has {', '.join(sorted(drawn.words)) or 'no names'}; the placeholders of "
            f"{type(proxy).__name__} are {', '.join(sorted(wanted)) or 'none'}: both must be the "
            "same"
        )
    for name, word in drawn.words.items():
        if not isinstance(word, str) or not word.strip():
            return f"words.{name} is {_shown(word)}; right is a text"
    return None
