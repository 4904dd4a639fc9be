"""Folders, what datasets saved, and names on the hub."""

import gzip
import json
import os
import socket
import subprocess
import sys
import time

import datasets
import pytest
from masa_openrlhf.config.sections import DataConfig
from masa_openrlhf.data.errors import DataError
from masa_openrlhf.data.hub import find_hub_fault
from masa_openrlhf.data.problems import load_problems

from tests.masa_openrlhf.data_rows import write_table

CONFIG = DataConfig()


def make_row(number):
    return {"problem": f"{number} + 0?", "answer": str(number)}


def list_answers(source, **settings):
    loaded = load_problems(str(source), DataConfig(**settings))
    return [problem.answer for problem in loaded.problems]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


def test_a_folder_of_shards_in_their_order(tmp_path):
    folder = tmp_path / "shards"
    folder.mkdir()
    write_table(folder / "part-00001.parquet", [make_row(2), make_row(3)])
    write_table(folder / "part-00000.parquet", [make_row(0), make_row(1)])
    assert list_answers(folder) == ["0", "1", "2", "3"]
    assert list_answers(f"{folder}/") == ["0", "1", "2", "3"]


@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz", "csv", "json"])
def test_shards_of_text(tmp_path, suffix):
    folder = tmp_path / "shards"
    folder.mkdir()
    for number in range(2):
        row = make_row(number)
        text = {
            "jsonl": json.dumps(row),
            "json": json.dumps([row]),
            "csv": f"problem,answer\n{row['problem']},{row['answer']}\n",
        }[suffix.removesuffix(".gz")].encode()
        file = folder / f"train-{number}.{suffix}"
        file.write_bytes(gzip.compress(text) if suffix.endswith(".gz") else text)
    assert list_answers(folder) == ["0", "1"]


def test_the_splits_of_a_folder_as_it_lies_on_the_hub(tmp_path):
    folder = tmp_path / "snapshot" / "data"
    folder.mkdir(parents=True)
    write_table(folder / "train-00000-of-00002.parquet", [make_row(0)])
    write_table(folder / "train-00001-of-00002.parquet", [make_row(1)])
    write_table(folder / "test-00000-of-00001.parquet", [make_row(9)])
    assert list_answers(folder.parent) == ["0", "1"]
    assert list_answers(folder.parent, split="test") == ["9"]
    with pytest.raises(DataError, match="no split 'dev'; it has train, test: set data.split"):
        list_answers(folder.parent, split="dev")


def test_the_subsets_that_a_folder_names_in_its_readme(tmp_path):
    folder = tmp_path / "gsm"
    for name, number in (("main", 0), ("socratic", 1)):
        (folder / name).mkdir(parents=True)
        write_table(folder / name / "train-00000.parquet", [make_row(number)])
    configs = "".join(
        f"- config_name: {name}\n  data_files:\n  - split: train\n    path: {name}/train-*\n"
        for name in ("main", "socratic")
    )
    (folder / "README.md").write_text(f"---\nconfigs:\n{configs}---\n")
    assert list_answers(folder, subset="socratic") == ["1"]
    with pytest.raises(DataError, match="main.*socratic.*data.subset"):
        list_answers(folder)


def test_what_save_to_disk_wrote(tmp_path):
    train = datasets.Dataset.from_list([make_row(0), make_row(1)])
    train.save_to_disk(tmp_path / "one")
    assert list_answers(tmp_path / "one") == ["0", "1"]
    both = datasets.DatasetDict(train=train, test=datasets.Dataset.from_list([make_row(9)]))
    both.save_to_disk(tmp_path / "two")
    assert list_answers(tmp_path / "two") == ["0", "1"]
    assert list_answers(tmp_path / "two", split="test") == ["9"]
    with pytest.raises(DataError, match="no split 'dev'; it has train, test"):
        list_answers(tmp_path / "two", split="dev")
    (tmp_path / "one" / "state.json").write_text("{}")
    with pytest.raises(DataError, match="one cannot be read by datasets.load_from_disk"):
        list_answers(tmp_path / "one")


def test_folders_and_names_that_hold_nothing(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("x")
    for source, message in {
        str(tmp_path / "empty"): "the folder .*empty has no file of problems in it: .parquet",
        str(tmp_path / "nowhere"): "there is no file or folder .*nowhere, and it is no name on",
        "./nowhere": "there is no file or folder ./nowhere",
        "a/b/c": "there is no file or folder a/b/c",
        "mine.csv": "there is no file mine.csv",
    }.items():
        with pytest.raises(DataError, match=message):
            load_problems(source, CONFIG)


def test_a_name_that_the_hub_is_not_asked_for(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    message = "the hub's 'nobody/nothing', split 'train', cannot be read: .*HF_HUB_OFFLINE is set"
    with pytest.raises(DataError, match=message):
        load_problems("nobody/nothing", CONFIG)


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_a_hub_that_does_not_answer_is_told_within_seconds(tmp_path, dry):
    """In a process of its own: the address of the hub is read when the library is imported."""
    named = ("--preset=tiny", "--data.train=openai/gsm8k", "--runs", str(tmp_path / "runs"))
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()  # takes connections, and never answers
        began = time.monotonic()
        ended = subprocess.run(
            [sys.executable, "-m", "masa_openrlhf.cli", "train", *named, *dry],
            capture_output=True,
            text=True,
            env={
                **os.environ,
                "HF_ENDPOINT": f"http://127.0.0.1:{silent.getsockname()[1]}",
                "HF_HOME": str(tmp_path),
                "HF_HUB_OFFLINE": "0",
            },
        )
        took = time.monotonic() - began
    assert ended.returncode == (0 if dry else 2)
    assert not (tmp_path / "runs").exists()
    (said,) = ended.stderr.strip().splitlines()
    assert said.startswith(
        f"masa-openrlhf: {'not checked: ' if dry else ''}the hub's 'openai/gsm8k'"
    )
    assert "subset 'main', split 'train', cannot be read: the hub is out of reach" in said
    assert "save_to_disk" in said
    assert took < 30  # 3 s of it are the wait; datasets itself tries for over a minute


def test_the_wait_for_a_hub_that_does_not_answer_is_short(monkeypatch):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
        began = time.monotonic()
        assert find_hub_fault("openai/gsm8k") is not None
        assert time.monotonic() - began < 15


def test_a_hub_that_refuses_connections_is_known_at_once(monkeypatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
    began = time.monotonic()
    assert "onnect" in find_hub_fault("openai/gsm8k")
    assert time.monotonic() - began < 10
