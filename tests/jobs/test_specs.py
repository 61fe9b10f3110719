"""Slots, identities and seeds: the same for the same question, different for any other."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.jobs.cache import Cache, Outcome
from bench.jobs.identity import files_hash
from bench.jobs.seeds import derive
from bench.jobs.specs import RunSpec, digest

names = st.text("abcdefgh_", min_size=1, max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(), st.lists, max_leaves=4
)
parts = st.fixed_dictionaries({}, optional=dict.fromkeys(
    ("dataset", "representation", "method"), st.dictionaries(names, values, min_size=1, max_size=3)
))  # fmt: skip
specs = st.builds(
    RunSpec, names, names, st.integers(0, 99), st.sampled_from(["smoke", "standard"]), st.none() | names,
    st.none() | names, st.none() | names, parts,
)  # fmt: skip


@given(specs)
def test_a_spec_survives_its_record(spec):
    again = RunSpec.from_json(json.loads(json.dumps(spec.to_json())))
    assert again == spec
    assert again.slot == spec.slot


@given(specs)
def test_the_slot_does_not_depend_on_the_order_of_keys_nor_on_empty_parts(spec):
    turned = {part: dict(reversed(list(chosen.items()))) for part, chosen in reversed(list(spec.set.items()))}
    assert replace(spec, set={"method": {}, "dataset": {}, **turned}).slot == spec.slot


@given(specs, specs)
def test_two_specs_share_a_slot_only_if_they_are_equal(one, other):
    same = json.dumps(one.to_json(), sort_keys=True) == json.dumps(other.to_json(), sort_keys=True)
    assert (one.slot == other.slot) == same


@given(st.dictionaries(names, values, min_size=1), st.data())
def test_a_digest_changes_with_each_ingredient(ingredients, data):
    name = data.draw(st.sampled_from(sorted(ingredients)))
    other = data.draw(values.filter(lambda value: json.dumps(value) != json.dumps(ingredients[name])))
    assert digest({**ingredients, name: other}) != digest(ingredients)
    assert digest({key: value for key, value in ingredients.items() if key != name}) != digest(ingredients)
    assert digest(dict(reversed(list(ingredients.items())))) == digest(ingredients)


def test_every_dataset_repeat_and_component_has_a_seed_of_its_own():
    asked = [
        (dataset, repeat, component)
        for dataset in ("rotated_mnist", "rotated_digits", "plane")
        for repeat in range(50)
        for component in ("split", "representation", "oracle", "discover", "score", "pairs")
    ]
    seeds = [derive(*one) for one in asked]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert seeds == [derive(*one) for one in asked]


def test_neighbouring_repeats_are_unrelated():
    """Bits of the seeds of consecutive repeats agree half of the time: within five standard deviations."""
    pairs = [derive("plane", k, "split") ^ derive("plane", k + 1, "split") for k in range(400)]
    differing = sum(bin(pair).count("1") for pair in pairs) / (31 * 400)
    assert abs(differing - 0.5) < 5 * 0.5 / (31 * 400) ** 0.5


def test_the_hash_of_files_follows_their_content_and_not_their_place(tmp_path):
    cache = Cache(tmp_path / "cache")
    paths = [tmp_path / folder / "x.txt" for folder in ("one", "two")]
    for path in paths:
        path.parent.mkdir()
        path.write_text("content")
    first, second = (files_hash([str(path)], cache) for path in paths)
    assert first == second
    paths[0].write_text("kontent")
    assert files_hash([str(paths[0])], cache) != first
    assert files_hash([], cache) != first
    paths[0].write_text("content")
    assert files_hash([str(paths[0])], cache) == first


@pytest.fixture
def kept(tmp_path):
    cache = Cache(tmp_path / "cache")
    folder = cache.scratch()
    (folder / "symmetry.safetensors").write_bytes(b"state")
    (folder / "log.txt").write_text("said")
    Outcome("ok", figures={"loss": float("nan")}, cost={"cpu_s": 1.5}).write(folder)
    cache.keep(folder, "abcdef")
    return cache


def test_what_a_job_left_is_known_by_its_identity(kept):
    assert kept.outcome("abcdef").cost == {"cpu_s": 1.5}
    assert kept.outcome("abcdef").figures == {"loss": None}, "JSON has no NaN"
    assert kept.outcome("abcdee") is None
    assert list((kept.root / "tmp").iterdir()) == []


@pytest.mark.parametrize("name", ["outcome.json", "symmetry.safetensors"])
def test_what_is_no_longer_whole_is_not_known(kept, name):
    path = kept.folder("abcdef") / name
    path.write_bytes(path.read_bytes()[:-3])
    assert kept.outcome("abcdef") is None


def test_a_folder_that_another_process_has_put_there_gives_way(kept):
    folder = kept.scratch()
    Outcome("ok", cost={"cpu_s": 2.5}).write(folder)
    kept.keep(folder, "abcdef")
    assert kept.outcome("abcdef").cost == {"cpu_s": 2.5}
    assert not (kept.folder("abcdef") / "symmetry.safetensors").exists()


def test_a_sweep_removes_what_the_dead_left_and_nothing_else(kept):
    dead, alive, odd = ((kept.root / "tmp" / name) for name in ("999999999-aa", "1-bb", "odd-name"))
    for folder in (dead, alive, odd):
        folder.mkdir()
    kept.sweep()
    assert sorted(path.name for path in (kept.root / "tmp").iterdir()) == ["1-bb"]
    assert kept.outcome("abcdef") is not None
