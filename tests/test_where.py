"""`where`: pictures by what the index says of them, and nothing but that."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from scaling import build_scaling, keys_by_proxy, write_sources

from sgt_data import SubsetRule, open_corpus, subset
from sgt_data.cli.app import main
from sgt_data.errors import RequestError
from sgt_data.subsets.bounded_condition import BoundedCondition
from sgt_data.subsets.where import Condition

ROWS = {
    "key": ["coco_1", "coco_2", "sa1b_3", "sa1b_4"],
    "source": ["coco", "coco", "sa1b", "sa1b"],
    "licence": ["CC BY 2.0", "CC BY-NC 2.0", None, "sa-1b"],
    "segments": pa.array([3, 0, 40, None], pa.int32()),
    "categories": pa.array([["dog", "sky"], [], [], None], pa.list_(pa.string())),
}


def matched(expression: str) -> list[int]:
    table = pa.table(ROWS)
    with closing(Condition(expression, table.schema)) as condition:
        return [row for row, fits in enumerate(condition.matching(table)) if fits]


@pytest.mark.parametrize(
    ("expression", "rows"),
    [
        ("source = 'coco'", [0, 1]),
        ("licence NOT LIKE '%NC%'", [0, 3]),
        ("licence IS NULL", [2]),
        ("segments BETWEEN 1 AND 3 OR key = 'sa1b_3'", [0, 2]),
        ("'dog' IN categories", [0]),
        ("list_contains(categories, 'sky')", [0]),
        ("len(list_filter(categories, lambda one: one LIKE 'd%')) > 0", [0]),
        ("Segments > 2 -- many", [0, 2]),
        ("segments", [0, 2]),
        ("true", [0, 1, 2, 3]),
    ],
)
def test_expressions_choose_rows(expression: str, rows: list[int]) -> None:
    assert matched(expression) == rows


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("", "syntax error"),
        ("segments >", "syntax error"),
        ("colour = 1", "no column 'colour'"),
        ("segments = 'many'", "Could not convert"),
        ("sum(segments) > 1", "aggregates"),
        ("row_number() OVER () < 2", "window functions"),
        ("true) OR (true", "syntax error"),
        ("true) UNION ALL (SELECT 1 WHERE (true", "syntax error"),
        ("true UNION SELECT 1", "more than one"),
        ("true LIMIT 1", "more than one"),
        ("true GROUP BY 1", "more than one"),
        ("true; SELECT 1", "more than one"),
        ("true; DROP TABLE x", "SELECT"),
        ("true; COPY (SELECT 1) TO '/tmp/x'", "SELECT"),
        ("true; SET enable_external_access = true", "SELECT"),
        ("key IN (SELECT content FROM read_text('/etc/passwd'))", "subqueries"),
        ("EXISTS (FROM read_csv('/etc/passwd'))", "subqueries"),
        ("EXISTS (SELECT 1)", "subqueries"),
        ("read_text('/etc/passwd') IS NOT NULL", "table function"),
        ("random() < 0.5", "random() is not the same"),
        ("main.random() < 0.5", "random() is not the same"),
        ('"RANDOM"() < 0.5', "random() is not the same"),
        ("uuid() > key", "uuid() is not the same"),
        ("now() > '2020-01-01'", "now() is not the same"),
        ("current_date > '2020-01-01'", "no column 'current_date'"),
        ("sleep_ms(100000) IS NULL", "sleep_ms() is not the same"),
        ("pg_sleep(1000) IS NULL", "pg_sleep() is not the same"),
        ("current_setting('memory_limit') = ''", "current_setting() is not the same"),
        ("error('x')", "error() is not the same"),
        ("getenv('HOME') = 'x'", "does not exist"),
        ("nextval('x') = 1", "nextval() is not the same"),
        ('"#" = 1', "no column '#'"),
        ("$1", "parameter"),
        ("(" * 5000 + "true" + ")" * 5000, "characters"),
    ],
)
def test_what_is_no_plain_expression_is_refused_with_the_columns_there_are(
    expression: str, why: str
) -> None:
    with pytest.raises(RequestError) as refused:
        matched(expression)
    assert why in str(refused.value)
    assert expression[:40] in str(refused.value).replace("\\'", "'")
    assert "licence (text), segments (number), categories (list of text)" in str(refused.value)


def test_files_are_out_of_reach_even_past_the_checks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database itself refuses, should the look at the expression miss something."""
    from sgt_data.subsets import where

    monkeypatch.setattr(where, "_check", lambda *_: None)
    (tmp_path / "secret").write_text("coco_1")
    for expression in (
        f"key IN (SELECT content FROM read_text('{tmp_path}/secret'))",
        f"key IN (SELECT column0 FROM '{tmp_path}/secret.csv')",
        f"EXISTS (FROM glob('{tmp_path}/*'))",
        "EXISTS (FROM ROWS)",
    ):
        with pytest.raises(RequestError, match=r"disabled|does not exist"):
            matched(expression)
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_a_process_of_its_own_answers_block_by_block() -> None:
    """Eight rows share a byte of an answer; a block has any number of them."""
    blocks = [pa.table(ROWS), pa.table(ROWS).slice(1, 3), pa.concat_tables([pa.table(ROWS)] * 5)]
    with closing(BoundedCondition("source = 'coco'")) as condition:
        for block in blocks:
            expected = [source == "coco" for source in block["source"].to_pylist()]
            assert condition.matching(block).tolist() == expected
    refusal = r"no column 'colour'\n  columns: key \(text\)"
    with (
        closing(BoundedCondition("colour = 1")) as condition,
        pytest.raises(RequestError, match=refusal),
    ):
        condition.matching(pa.table(ROWS))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux")
@pytest.mark.parametrize(
    "expression",
    [
        "repeat('a', 1000000000) = key",
        "repeat(key, 100000000) = source",
        "len(range(100000000)) > segments",
    ],
)
def test_an_expression_that_fills_the_memory_is_refused(expression: str) -> None:
    with closing(BoundedCondition(expression, memory=256 << 20)) as condition:
        with pytest.raises(
            RequestError, match=r"more than 256 MiB of memory for 4 keys"
        ) as refused:
            condition.matching(pa.table(ROWS))
        assert expression[:20] in str(refused.value)
        status = Path(f"/proc/{condition.process}/status")
        peaks = [line.split()[1] for line in status.read_text().splitlines() if "VmHWM" in line]
        assert all(int(kilobytes) < 600 << 10 for kilobytes in peaks)


def test_an_expression_that_does_not_end_is_ended() -> None:
    inner = "list_filter(range(100000), lambda y: x * y = segments)"
    endless = f"len(list_filter(range(100000), lambda x: len({inner}) > 0)) > 3"
    with (
        closing(BoundedCondition(endless, seconds=3)) as condition,
        pytest.raises(RequestError, match="more than 3 seconds for 4 keys"),
    ):
        condition.matching(pa.table(ROWS))


def test_the_command_refuses_an_expression_that_takes_too_much(
    corpus: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "x.subset.parquet"
    where = "repeat('a', 1000000000) = key"
    with pytest.raises(SystemExit) as ended:
        main(["scale", corpus, "--where", where, "--file", str(file)])
    assert ended.value.code == 2
    assert "it takes more than 1,024 MiB of memory" in capsys.readouterr().err
    assert not file.exists()


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Every third picture of COCO's must not be used commercially."""
    root = tmp_path_factory.mktemp("where")
    sources = write_sources(root / "sources")
    for file in (sources / "coco" / "annotations").glob("*.json"):
        document = json.loads(file.read_text())
        document["licenses"] = [
            {"id": 1, "name": "Attribution License"},
            {"id": 2, "name": "Attribution-NonCommercial License"},
        ]
        for image in document["images"]:
            image["license"] = 2 if image["id"] % 3 == 0 else 1
        file.write_text(json.dumps(document))
    return build_scaling(sources, root / "corpus")


def rows_of(corpus: str, proxy: str) -> dict[str, dict[str, Any]]:
    opened = open_corpus(corpus)
    return {
        row["key"]: row
        for shard in opened.shards(proxy)
        for row in opened.index(proxy, shard).to_pylist()
    }


def test_where_composes_with_fractions(corpus: str, tmp_path: Path) -> None:
    """Only pictures whose licence allows commercial use."""
    where = "licence NOT LIKE '%NonCommercial%'"
    licences = {key: row["licence"] for key, row in rows_of(corpus, "panoptic").items()}
    fitting = {key for key, licence in licences.items() if licence == "Attribution License"}
    assert len(fitting) == 24
    keys_of_fraction = {}
    for fraction in (0.5, 1.0):
        file = f"{tmp_path}/{fraction}.subset.parquet"
        report = subset(
            corpus, fraction, rule=SubsetRule(where=where, described_by="panoptic"), file=file
        )
        keys_of_fraction[fraction] = keys_by_proxy(open_corpus(report.place))
        assert report.rule["where"] == where
    assert keys_of_fraction[1.0]["panoptic"] == fitting
    assert 0 < len(keys_of_fraction[0.5]["panoptic"]) < 24
    for proxy, keys in keys_of_fraction[0.5].items():
        assert keys <= keys_of_fraction[1.0][proxy]


def test_where_alone_takes_all_that_fit(corpus: str, tmp_path: Path) -> None:
    file = f"{tmp_path}/many.subset.parquet"
    subset(corpus, rule=SubsetRule(where="segments >= 12"), file=file)
    entity = rows_of(corpus, "entity")
    assert keys_by_proxy(open_corpus(file))["entity"] == {
        key for key, row in entity.items() if row["segments"] >= 12
    }


def test_categories_are_those_of_the_proxy_that_is_named(corpus: str, tmp_path: Path) -> None:
    where = "'sky' IN categories"
    with pytest.raises(RequestError, match=r"none of 46 samples fits.*those of entity"):
        subset(corpus, rule=SubsetRule(where=where), file=f"{tmp_path}/none.subset.parquet")
    file = f"{tmp_path}/sky.subset.parquet"
    subset(corpus, rule=SubsetRule(where=where, described_by="panoptic"), file=file)
    panoptic = rows_of(corpus, "panoptic")
    expected = {key for key, row in panoptic.items() if "sky" in row["categories"]}
    assert keys_by_proxy(open_corpus(file))["panoptic"] == expected


def test_a_stored_expression_is_never_run(
    corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = f"{tmp_path}/some.subset.parquet"
    subset(corpus, 0.5, rule=SubsetRule(where="segments > 6"), file=file)
    import duckdb

    monkeypatch.setattr(duckdb, "connect", lambda *_, **__: pytest.fail("it was run"))
    assert len(list(open_corpus(file).samples("entity"))) > 0
