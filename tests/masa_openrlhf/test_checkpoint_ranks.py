"""A run is gone on with by as many ranks as wrote its checkpoint."""

import pytest
from masa_openrlhf.cli import main
from masa_openrlhf.config.layers import ConfigError
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.run.checkpoint_ranks import count_saved_ranks, require_saved_ranks
from masa_openrlhf.run.folder import RunFolder


def write_checkpoint(folder, step, ranks, prefix="bf16_"):
    actor = folder.checkpoints / "_actor"
    saved = actor / f"global_step{step}"
    saved.mkdir(parents=True)
    for rank in range(ranks):
        (saved / f"{prefix}zero_pp_rank_{rank}_mp_rank_00_optim_states.pt").touch()
        (saved / f"zero_pp_rank_{rank}_mp_rank_00_model_states.pt").touch()
    (actor / "latest").write_text(f"global_step{step}")


@pytest.fixture
def folder(tmp_path):
    made = RunFolder(tmp_path / "run")
    made.create(TrainConfig(cluster={"device": "cpu", "gpus_per_node": 4, "pack": False}))
    return made


@pytest.mark.parametrize("prefix", ["bf16_", ""])
def test_the_ranks_of_the_last_checkpoint_are_counted(folder, prefix):
    assert count_saved_ranks(folder) is None
    write_checkpoint(folder, 1, 2, prefix)
    write_checkpoint(folder, 2, 16, prefix)
    assert count_saved_ranks(folder) == 16


def test_as_many_ranks_may_be_spread_otherwise(folder):
    write_checkpoint(folder, 1, 4)
    for nodes, each in ((1, 4), (2, 2), (4, 1)):
        cluster = {"nodes": nodes, "gpus_per_node": each}
        require_saved_ranks(TrainConfig(cluster=cluster), folder)
    with pytest.raises(ConfigError, match="written by 4 ranks, and 8 were asked for"):
        require_saved_ranks(TrainConfig(), folder)


def test_another_number_is_refused_before_anything_starts(folder, capsys):
    write_checkpoint(folder, 1, 4)
    before = folder.config.read_text()
    with pytest.raises(SystemExit) as ended:
        main(["train", "--resume", str(folder.path), "--cluster.gpus-per-node", "3"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "written by 4 ranks, and 3 were asked for" in said
    assert "1 x 3" in said
    assert "resume with 4 ranks" in said
    assert folder.config.read_text() == before
    assert folder.events() == []


def test_a_run_without_a_checkpoint_begins_with_any_number(folder):
    require_saved_ranks(TrainConfig(), folder)
