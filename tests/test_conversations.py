"""Instruction data as it is found: JSONL and JSON arrays of several exporters, and what is wrong.

What is wrong is said when the stream opens, not in mid-epoch; or it is counted where it is skipped.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import jpeg, tar_of

from sgt_data import CorpusError, Ordering, Reading, RequestError, Stream
from sgt_data.stream.conversation_places import find_places


def turns(text: str = "x") -> list[dict[str, str]]:
    return [{"from": "human", "value": text}, {"from": "gpt", "value": f"answer {text}"}]


def rows(count: int = 4) -> list[dict[str, Any]]:
    """Conversations with a picture, without one, and with the two words for none."""
    pictures: list[dict[str, Any]] = [{"image": "a.jpg"}, {}, {"image": ""}, {"image": None}]
    pictures += [{"image": []}, {"image": ["a.jpg"]}]
    return [
        {"id": f"k{number}", "conversations": turns(f'[{number}], {{"\\}}')} | pictures[number % 6]
        for number in range(count)
    ]


def opened(place: Path, **options: Any) -> list[tuple[str, bool]]:
    """Keys, and whether there is a picture, of all conversations in their order."""
    stream = Stream(
        {place: "vqa"}, batch_size=1, order=Ordering(shuffle=False), reading=Reading(**options)
    )
    return [(one.key, one.image is not None) for batch in stream for one in batch["samples"]]


EXPECTED = [(f"k{number}", number in (0, 5)) for number in range(6)]


def lines_of(items: list[Any], end: str = "\n") -> bytes:
    return end.join(json.dumps(item) for item in items).encode()


FORMS = {
    "lines.jsonl": lambda items: lines_of(items),
    "crlf.jsonl": lambda items: lines_of(items, "\r\n") + b"\r\n\r\n",
    "bom.jsonl": lambda items: b"\xef\xbb\xbf" + lines_of(items),
    "blank.jsonl": lambda items: b"\n  \n" + lines_of(items, "\n\n \t\r\n") + b"\n\n",
    "array.json": lambda items: json.dumps(items).encode(),
    "indented.json": lambda items: json.dumps(items, indent=4).encode() + b"\r\n",
    "array-bom.json": lambda items: b"\xef\xbb\xbf \n" + json.dumps(items, indent=1).encode(),
    "array.jsonl": lambda items: json.dumps(items, ensure_ascii=False).encode(),
    "lines.json": lambda items: lines_of(items),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_a_file_gives_the_same_conversations(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(16, 16))
    (tmp_path / name).write_bytes(FORMS[name](rows(6)))
    assert opened(tmp_path / name) == EXPECTED


def test_keys_count_lines_and_items(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"\n" + lines_of([{"conversations": turns()}] * 2, "\n\n"))
    assert [key for key, _ in opened(tmp_path / "a.jsonl")] == ["2", "4"]
    (tmp_path / "a.json").write_text(json.dumps([{"conversations": turns()}] * 2))
    assert [key for key, _ in opened(tmp_path / "a.json")] == ["1", "2"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text('[]{}",\\ \n:a\u00e9', max_size=8),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
            ),
            max_leaves=6,
        ),
        max_size=6,
    ),
    st.sampled_from([None, 1]),
)
def test_places_of_items_are_those_of_a_json_parser(items: list[Any], indent: int | None) -> None:
    for ascii_only in (True, False):
        data = json.dumps(items, indent=indent, ensure_ascii=ascii_only).encode()
        places = find_places(np.frombuffer(data, np.uint8), "it")
        cut = [
            json.loads(data[start:stop])
            for start, stop in zip(places.starts.tolist(), places.stops.tolist(), strict=True)
        ]
        assert cut == items and places.word == "item"


WRONG = [
    ("no json", "no conversation in LLaVA's form"),
    ('{"id": 1}', "none found; conversations is a list of turns"),
    ('{"conversations": "x"}', "found conversations 'x'"),
    ('{"conversations": [{"value": 3}]}', "turn 1 is {'value': 3}"),
    ('["x"]x', "no conversation"),
    ('{"conversations": [{"value": ""}], "image": ["a.jpg", "b.jpg"]}', "list of 2 pictures"),
    ('{"conversations": [{"value": ""}], "image": 7}', "image is 7, no name of a file"),
    ('{"conversations": [{"value": ""}], "image": "../a.jpg"}', "leaves its folder"),
    ('{"conversations": [{"value": ""}], "image": "gone/a.jpg"}', "there is no picture"),
    ('{"conversations": [{"value": ""}], "images": ["gone/a.jpg"]}', "there is no picture"),
    (
        '{"conversations": [{"value": "<image> ?"}]}',
        "holds <image>, and there is no picture",
    ),
    ('{"conversations": [{"value": "<image> ?"}], "image": null}', "a turn holds <image>"),
]


@pytest.mark.parametrize(("line", "message"), WRONG)
def test_what_is_wrong_is_said_when_the_stream_opens(
    line: str, message: str, tmp_path: Path
) -> None:
    good = json.dumps({"conversations": turns()})
    place = tmp_path / "v.jsonl"
    place.write_text(f"{good}\n\n{line}\n{good}\n{line}")
    with pytest.raises(CorpusError) as why:
        Stream({place: "vqa"}, batch_size=1)
    text = str(why.value)
    assert message in text and f"{place}, line 3" in text and "line 5" in text
    assert "2 of 4 conversations cannot be used" in text
    assert "Error(" not in text
    stream = Stream({place: "vqa"}, batch_size=4, reading=Reading(on_error="skip", skip_max=0.5))
    assert [len(batch["samples"]) for batch in stream] == [2] and len(stream.skipped) == 2


def test_items_of_an_array_are_named_by_their_number(tmp_path: Path) -> None:
    place = tmp_path / "v.json"
    place.write_text(json.dumps([{"conversations": turns()}, {"conversations": []}]))
    with pytest.raises(CorpusError, match=r"v\.json, item 2: .*found conversations \[\]"):
        Stream({place: "vqa"}, batch_size=1)


def test_a_loss_of_unknown_size_is_never_skipped(tmp_path: Path) -> None:
    whole = json.dumps(rows(4)).encode()
    place = tmp_path / "v.json"
    for data, message in (
        (whole[:-1], "does not end"),
        (whole[: len(whole) // 2], "does not end"),
        (whole + b"]", "line 1: something follows"),
        (whole.decode().encode("utf-16"), "UTF-16; allowed: UTF-8"),
    ):
        place.write_bytes(data)
        with pytest.raises(CorpusError, match=message):
            Stream({place: "vqa"}, batch_size=1, reading=Reading(on_error="skip"))
    for nothing in (b"", b"\r\n\r\n", b"[]", b"\xef\xbb\xbf[ ]"):
        place.write_bytes(nothing)
        with pytest.raises(RequestError, match="holds no"):
            Stream({place: "vqa"}, batch_size=1)


def test_pictures_are_looked_for_in_their_folder(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "v.jsonl").write_bytes(lines_of(rows(6)))
    with pytest.raises(CorpusError, match="2 of 6 conversations"):
        opened(tmp_path / "v.jsonl")
    (tmp_path / "pictures" / "a.jpg").write_bytes(jpeg(16, 16))
    assert opened(tmp_path / "v.jsonl", images=tmp_path / "pictures") == EXPECTED


def test_a_remote_file_is_read_alike() -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe("/talk/v.json", json.dumps(rows(6)).encode())
    memory.pipe("/talk/a.jpg", jpeg(16, 16))
    stream = Stream({"memory://talk/v.json": "vqa"}, batch_size=6)
    (batch,) = list(stream)
    assert sorted((one.key, one.image is not None) for one in batch["samples"]) == EXPECTED


def test_a_tar_without_a_named_picture_is_refused_when_it_opens(tmp_path: Path) -> None:
    members = []
    for row in rows(6):
        members.append((f"{row['id']}.json", json.dumps(row).encode()))
        if row["id"] == "k0":
            members.append(("k0.jpg", jpeg(16, 16)))
    place = tmp_path / "sft.tar"
    place.write_bytes(tar_of(members))
    message = r"1 of 6 conversations.*sample k5: its JSON names the picture a\.jpg"
    with pytest.raises(CorpusError, match=message):
        Stream({place: "sft"}, batch_size=1)
    skipping = Reading(on_error="skip", skip_max=0.5)
    stream = Stream({place: "sft"}, batch_size=6, reading=skipping)
    assert [len(batch["samples"]) for batch in stream] == [5] and "k5" in stream.skipped[0]
    place.write_bytes(tar_of([*members, ("k5.png", jpeg(16, 16))]))
    assert len(opened(place)) == 6


def test_a_stream_that_checks_nothing_first_names_what_is_wrong_when_it_comes(
    tmp_path: Path,
) -> None:
    place = tmp_path / "v.jsonl"
    place.write_bytes(lines_of([{"conversations": turns()}, {"conversations": []}]))
    reading = Reading(check_first=False)
    stream = Stream({place: "vqa"}, batch_size=1, order=Ordering(shuffle=False), reading=reading)
    assert len(stream.batch(0)["samples"]) == 1
    with pytest.raises(CorpusError, match=r"line 2: .*found conversations \[\]"):
        stream.batch(1)


def test_a_conversation_says_how_often_it_came_before(tmp_path: Path) -> None:
    place = tmp_path / "v.jsonl"
    place.write_bytes(lines_of([{"conversations": turns()}] * 5))
    stream = Stream({place: "vqa"}, mixture={"vqa": 1}, batch_size=3)
    visits = [one.visit for step in range(5) for one in stream.batch(step)["samples"]]
    assert visits == [0] * 5 + [1] * 5 + [2] * 5
