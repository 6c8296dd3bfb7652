"""Read which answers the questions of training have, by text, from a folder of questions."""

from __future__ import annotations

from hashlib import sha256

import orjson

from sgt_data.bounded_json import loads_bounded
from sgt_data.errors import CorpusError, FileMissing, RequestError
from sgt_data.files.reading import read_bytes
from sgt_data.files.urls import Location, absolute, join
from sgt_data.questions.known_questions import Known
from sgt_data.value_text import cut

_PICTURE = "<image>\n"


def read_known(folder: Location) -> Known:
    """The answers of each text in the train split of a folder of `sgt-data questions`.

    Raises:
        RequestError: the folder has no questions for training.
        CorpusError: a line is no question.
    """
    place = join(absolute(folder), "train.jsonl")
    try:
        lines = read_bytes(place).splitlines()
    except FileMissing as why:
        raise RequestError(f"known: there is no {place}; name a folder of questions") from why
    known: dict[str, set[str]] = {}
    for number, line in enumerate(lines, 1):
        try:
            asked, answered = loads_bounded(line)["conversations"]
            text, answer = asked["value"].removeprefix(_PICTURE), answered["value"]
        except (orjson.JSONDecodeError, LookupError, TypeError, ValueError, AttributeError) as why:
            raise CorpusError(
                f"{place}, line {number}: found {cut(line)}, no question of `sgt-data questions`"
            ) from why
        known.setdefault(text, set()).add(str(answer))
    if not known:
        raise RequestError(f"known: {place} has no question")
    return known


def digest_of_known(known: Known) -> str:
    """SHA-256 of all texts with their answers, in hexadecimal digits."""
    document = {text: sorted(answers) for text, answers in known.items()}
    return sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()
