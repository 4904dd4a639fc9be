"""What a GPU run puts in the place of the stack's own computes the same, under DeepSpeed."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("gpu_pieces.py")


def found_by(folder):
    """Run the script on two ranks; what the first one found."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ranks = []
    for rank in range(2):
        place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "MASTER_PORT": port}
        environment = {**os.environ, "MASTER_ADDR": "127.0.0.1"}
        environment |= {name: str(value) for name, value in place.items()}
        ranks.append(
            subprocess.Popen(
                [sys.executable, SCRIPT, folder],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
    said = [rank.communicate()[0] for rank in ranks]
    assert [rank.returncode for rank in ranks] == [0, 0], said[0][-3000:]
    (line,) = [line for line in said[0].splitlines() if line.startswith("FOUND ")]
    return json.loads(line.removeprefix("FOUND "))


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return found_by(tmp_path_factory.mktemp("pieces"))


@pytest.mark.parametrize("entropy", [False, True], ids=["", "with entropy"])
def test_packed_in_chunks_is_stock_on_padded_sequences(found, entropy):
    seen = found["compared"][entropy]
    assert (seen["attention"], seen["in_chunks"]) == ("masa_varlen", True)
    assert seen["off"] < 0.01  # bfloat16
    assert seen["norms"][1] == pytest.approx(seen["norms"][0], rel=2e-3)
    assert seen["cosine"] > 0.9998


def test_the_optimiser_states_leave_the_device_and_come_back(found):
    states = found["states"]
    assert (states["class"], states["fused"]) == ("FusedAdam", [True])
    assert states["keys"] == ["exp_avg", "exp_avg_sq", "step"]
    assert (states["step"], states["kept"], states["loaded"]) == (1.0, True, True)
