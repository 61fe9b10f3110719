"""Records: JSON round trip, schema, atomic writes."""

from __future__ import annotations

import json
import multiprocessing
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import BenchError
from bench.jobs.specs import RunSpec
from bench.records.record import STATUSES, Record
from bench.records.store import Store, sweep, write_atomically

KEYS = {
    "schema", "slot", "identity", "status", "reason", "log_tail", "spec", "scores", "metric_versions", "symmetry",
    "cost", "provenance", "facts",
}  # fmt: skip
numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)
records = st.builds(
    Record,
    slot=st.text("0123456789abcdef", min_size=16, max_size=16),
    identity=st.text("0123456789abcdef", min_size=16, max_size=16),
    status=st.sampled_from(STATUSES),
    spec=st.just({"dataset": "d", "method": "m"}),
    reason=st.none() | st.text(),
    log_tail=st.lists(st.text()),
    scores=st.dictionaries(st.text(), numbers),
    metric_versions=st.dictionaries(st.text(), st.integers(1, 9)),
    symmetry=st.none() | st.text(),
    cost=st.dictionaries(st.text(), numbers),
    provenance=st.dictionaries(st.text(), st.text()),
)


@given(records)
def test_json_round_trip(record):
    text = record.to_json()
    assert Record.from_json(text) == record
    assert set(json.loads(text)) == KEYS
    assert Record.from_json(text).to_json() == text


@pytest.fixture
def record():
    spec = RunSpec("plane", "noop", 0).to_json()
    return Record("0123456789abcdef", "fedcba9876543210", "ok", spec, scores={"joint": 0.5})


@pytest.mark.parametrize(("change", "reason"), [
    ({"schema": 2}, "a record of schema 2; this version reads 1 (upgrade symmetry-bench)"),
    ({"status": "fine"}, "unknown status 'fine'; allowed: ok, failed"),
])  # fmt: skip
def test_other_schemas_and_statuses_are_refused(record, change, reason):
    with pytest.raises(BenchError) as caught:
        Record.from_json(json.dumps(asdict(record) | change))
    assert reason in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "5", "null", "{}", '{"schema": 1}', '"text"', "<<<<<<< ours"])
def test_what_is_no_record_is_refused(text):
    with pytest.raises(BenchError, match="not a record"):
        Record.from_json(text)


def test_the_store_has_one_file_a_slot(tmp_path, record):
    store = Store(tmp_path)
    assert store.read("plane", "noop", record.slot) is None
    path = store.write(record)
    assert path == tmp_path / "plane" / "noop" / f"{record.slot}.json"
    store.write(replace(record, status="failed"))
    assert [one.status for one in store] == ["failed"]
    path.write_text(path.read_text()[:-20])
    with pytest.raises(BenchError, match=f"{record.slot}.json: not a record"):
        store.read("plane", "noop", record.slot)
    store.discard("plane", "noop", record.slot)
    store.discard("plane", "noop", record.slot)
    assert list(store) == []


def _write_forever(path):
    while True:
        for letter in "ab":
            write_atomically(path, letter * 200_000)


def test_a_reader_sees_the_old_or_the_new_and_a_killed_writer_leaves_nothing_after_a_sweep(tmp_path):
    path = tmp_path / "file.json"
    for _ in range(3):
        writer = multiprocessing.get_context("fork").Process(target=_write_forever, args=(path,))
        writer.start()
        while not path.exists():
            assert writer.is_alive()
        for _ in range(40):
            assert path.read_text() in ("a" * 200_000, "b" * 200_000)
        writer.kill()
        writer.join()
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == [path]


def test_what_another_process_is_writing_is_not_swept(tmp_path):
    mine = tmp_path / ".file.json.1.part"
    mine.write_text("half")
    sweep(tmp_path)
    assert mine.exists()


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "file.json"
    write_atomically(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "new \ud800")
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]
