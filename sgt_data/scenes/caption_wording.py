"""The words of captions: things with articles, numbers and colours, in several sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from sgt_data.scenes.dice import Dice

CaptionTask = Literal[
    "scene", "things", "one object", "two objects", "counting", "position", "colour"
]
Relation = Literal["left of", "right of", "above", "below"]

NUMBERS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight")

_IRREGULAR: Final = {"snowman": "snowmen"}

_FRAMES: Final[dict[CaptionTask, tuple[str, ...]]] = {
    "scene": ("{0}", "a scene with {0}", "{0} in one picture"),
    "things": ("{0}", "a scene with {0}", "{0} in one picture"),
    "one object": ("{0}", "a scene with {0}", "{0} in a picture"),
    "two objects": ("{0} and {1}", "a scene with {0} and {1}", "{0} together with {1}"),
    "counting": ("{0}", "exactly {0}", "a scene with {0}"),
    "position": ("{0} {2} {1}", "a scene with {0} {2} {1}"),
    "colour": ("{0}", "a scene with {0}", "{0} in a picture"),
}
_RELATIONS: Final[dict[Relation, tuple[str, ...]]] = {
    "left of": ("left of", "to the left of"),
    "right of": ("right of", "to the right of"),
    "above": ("above",),
    "below": ("below",),
}


def plural(name: str) -> str:
    """The plural of the name of a kind of thing."""
    return _IRREGULAR.get(name, f"{name}s")


def with_article(noun: str) -> str:
    """A noun with its colour, if any, and the article before it: `an orange ball`."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def counted_things(count: int, name: str, colour: str | None = None) -> str:
    """So many things in words: `two red balls`, `one ball`."""
    noun = name if count == 1 else plural(name)
    return " ".join(word for word in (NUMBERS[count], colour, noun) if word)


def listed(texts: Sequence[str]) -> str:
    """A list in words: `a ball, a crate and a ring`."""
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def sentence(dice: Dice, task: CaptionTask, *things: str, relation: Relation | None = None) -> str:
    """One of the sentences of a task, each as likely as any other.

    Args:
        dice: chooses it.
        task: of the caption.
        things: named things, with article or number.
        relation: of the first thing to the second.
    """
    words = [] if relation is None else [dice.choice(_RELATIONS[relation])]
    return dice.choice(_FRAMES[task]).format(*things, *words)
