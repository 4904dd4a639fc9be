import os
import subprocess
import sys

import pytest
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.run.folder import RunFolder
from masa_openrlhf.run.folder_ownership import UntrustedFolderError, require_trusted


@pytest.fixture
def folder(tmp_path):
    made = RunFolder(tmp_path / "run")
    made.create(TrainConfig())
    (made.checkpoints / "_actor" / "global_step1").mkdir(parents=True)
    return made.path


def checkpoint(folder):
    file = folder / "checkpoints" / "_actor" / "global_step1" / "states.pt"
    file.write_bytes(b"weights")
    return file


def test_a_runs_own_folder_is_trusted(folder):
    checkpoint(folder)
    require_trusted(folder)


def test_what_the_group_may_write_counts_only_where_the_folder_lets_it_in(folder):
    file = checkpoint(folder)
    file.chmod(0o664)
    require_trusted(folder)
    folder.chmod(0o755)
    with pytest.raises(UntrustedFolderError, match=r"states\.pt: group \d+ may write it"):
        require_trusted(folder)
    file.chmod(0o644)
    require_trusted(folder)


@pytest.mark.parametrize("which", ["", "checkpoints", "checkpoints/_actor/global_step1/states.pt"])
def test_what_everybody_may_write_is_refused(folder, which):
    checkpoint(folder)
    folder.chmod(0o755)
    (folder / which).chmod(0o777)
    with pytest.raises(UntrustedFolderError, match="everybody may write it"):
        require_trusted(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_another_user_owns_is_refused_however_deep(folder):
    os.chown(checkpoint(folder), 12345, 12345)
    with pytest.raises(UntrustedFolderError, match=r"states\.pt: owned by user 12345"):
        require_trusted(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_symbolic_link_of_anothers_is_refused_and_ones_own_is_not(folder):
    link = folder / "checkpoints" / "link"
    link.symlink_to("/tmp")
    require_trusted(folder)
    os.lchown(link, 12345, 12345)
    with pytest.raises(UntrustedFolderError, match="link: owned by user 12345"):
        require_trusted(folder)


def resume(folder, *flags):
    return subprocess.run(
        [sys.executable, "-m", "masa_openrlhf.cli", "train", "--resume", str(folder), *flags],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )


def test_train_refuses_before_it_reads_what_lies_there(folder):
    """A configuration names modules, and reading it imports them."""
    (folder / "evil.py").write_text("open('ran', 'w').close()\nclass Signal: pass\n")
    settings = (folder / "config.json").read_text()
    (folder / "config.json").write_text(
        settings.replace('"signals": []', '"signals": ["evil:Signal"]')
    )
    folder.chmod(0o755)
    (folder / "evil.py").chmod(0o666)
    refused = resume(folder, "--dry-run")
    assert refused.returncode == 2
    assert "--resume runs what lies in" in refused.stderr
    assert "--trust goes on all the same" in refused.stderr
    assert not (folder / "ran").exists()
    resume(folder, "--dry-run", "--trust")
    assert (folder / "ran").exists()
