"""JSON that others wrote: read in every form that is clear, else refused with the place."""

from __future__ import annotations

import gzip
import json

import pytest

from sgt_data.errors import InputError
from sgt_data.files.outside_json import parse_json, unpacked

DOCUMENT = {"a": [1, 2.5, "é😀", None, True], "b": {"c": 2**63, "d": -(2**63)}}


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"],
)
def test_every_encoding_of_json_gives_the_same_document(encoding: str) -> None:
    data = json.dumps(DOCUMENT, ensure_ascii=False).encode(encoding)
    assert parse_json(data, "x.json") == DOCUMENT


def test_numbers_that_are_none_become_words_and_sink_no_file() -> None:
    document = parse_json(b'{"bbox": [NaN, 1, Infinity, -Infinity], "area": 1e400}', "x.json")
    assert document == {"bbox": ["NaN", 1, "Infinity", "-Infinity"], "area": float("inf")}


@pytest.mark.parametrize("digits", ["9" * 17, "9" * 19, "9" * 25, "9" * 5000, str(2**64 - 1)])
def test_large_integers_are_read_the_same_with_and_without_nan(digits: str) -> None:
    plain = parse_json(f'{{"a": {digits}}}'.encode(), "x")
    lenient = parse_json(f'{{"a": {digits}, "b": NaN}}'.encode(), "x")
    assert (type(lenient["a"]), lenient["a"]) == (type(plain["a"]), plain["a"])


WRONG = {
    '{\n "a": 1,\n}': ("line 2, column 8", "a comma before a closing bracket"),
    '{"a": [1, 2,]}': ("line 1, column 12", "a comma before a closing bracket"),
    '{"a": [1,\n2': ("line 2, column 2", "the file ends too early"),
    '{"a": "cut o': ("line 1, column 7", "the file ends too early"),
    "{'a': 1}": ("line 1, column 2", "single quotes"),
    '{"a": 1}\n{"a": 2}': ("line 2, column 1", "a second document begins"),
    '{"a": "C:\\data"}': ("line 1, column 10", "a backslash"),
    '{"a": "x\ny"}': ("line 1, column 9", "control character"),
    '{"a": "\\ud800"}': ("line 1, column 8", "half a character"),
    '{"a": nil}': ("line 1, column 7", "this does not belong here"),
    "<html>": ("", "HTML or XML"),
    "version https://git-lfs.github.com/spec/v1\noid": ("", "git lfs pull"),
    "PK\x03\x04": ("", "a zip archive"),
    " \n ": ("", "is empty"),
    "[" * 100_000: ("", "nested too deeply"),
}


@pytest.mark.parametrize("text", WRONG, ids=lambda text: repr(text)[:24])
def test_what_is_no_json_is_refused_with_file_place_and_cause(text: str) -> None:
    place, cause = WRONG[text]
    with pytest.raises(InputError) as refused:
        parse_json(text.encode(), "dir/x.json")
    message = str(refused.value)
    assert message.startswith("dir/x.json ")
    assert place in message
    assert cause in message


def test_bytes_of_another_encoding_are_named_with_their_line() -> None:
    with pytest.raises(InputError, match=r"line 2 holds bytes that are not UTF-8 \(at byte 8\)"):
        parse_json('{\n"a": "é"}'.encode("latin-1"), "x.json")


def test_gzip_is_unpacked_also_in_several_members_and_bounded() -> None:
    assert unpacked(gzip.compress(b"[1,") + gzip.compress(b"2]"), "x") == b"[1,2]"
    assert unpacked(b"[1]", "x") == b"[1]"
    bomb = gzip.compress(bytes(100 << 20), 6)
    with pytest.raises(InputError, match="unpack to more than"):
        unpacked(bomb, "x.json.gz")
    with pytest.raises(InputError, match="end too early"):
        unpacked(gzip.compress(b"[1, 2, 3]" * 50)[:-6], "x.json.gz")
    with pytest.raises(InputError, match="damaged"):
        unpacked(b"\x1f\x8b\x08nothing of the kind", "x.json.gz")
