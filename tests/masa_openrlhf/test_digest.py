import pytest
from masa_openrlhf.weights.digest import ParameterDigest, compare_weights, digest_tensor
from masa_openrlhf.weights.shards import _weigh_digests, add_shards

torch = pytest.importorskip("torch")

POLICY = {
    "l.q_proj.weight": ParameterDigest(1.0, 2.0),
    "l.k_proj.weight": ParameterDigest(0.5, 1.0),
    "l.v_proj.weight": ParameterDigest(-1.0, 3.0),
    "norm.weight": ParameterDigest(4.0, 4.0),
}


def test_a_digest_is_the_sum_and_the_absolute_sum():
    assert digest_tensor(torch.tensor([1.0, -2.0, 0.5])) == ParameterDigest(-0.5, 3.5)


@pytest.mark.parametrize("shape", [(), (0,), (7,), (3, 5), (2, 3, 4), (9_000_000,), (5000, 1000)])
def test_it_is_added_up_piece_by_piece_to_the_same(shape):
    values = torch.randn(shape, generator=torch.Generator().manual_seed(1)).bfloat16()
    found = digest_tensor(values)
    assert found.total == pytest.approx(values.double().sum().item(), rel=1e-9, abs=1e-9)
    assert found.absolute == pytest.approx(values.double().abs().sum().item(), rel=1e-12)


def test_it_leaves_the_tensor_as_it_is():
    values = torch.tensor([[1.0, -2.0], [-3.0, 4.0]], dtype=torch.float64).T  # not contiguous
    assert digest_tensor(values) == ParameterDigest(0.0, 10.0)
    assert values.tolist() == [[1.0, -3.0], [-2.0, 4.0]]


def test_no_copy_of_a_large_tensor_is_made():
    """An embedding of 8B in float64, and its absolute values, would take 10 GiB of a GPU."""
    from torch.utils._python_dispatch import TorchDispatchMode

    values = torch.zeros(40_000, 1000, dtype=torch.bfloat16)  # 80 MB, in float64 320
    theirs, most = values.untyped_storage().data_ptr(), 0

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            nonlocal most
            made = function(*args, **(kwargs or {}))
            for one in made if isinstance(made, (list, tuple)) else [made]:
                storage = one.untyped_storage()
                if storage.data_ptr() != theirs:
                    most = max(most, storage.nbytes())
            # A sum in another type copies what it sums, out of sight of this.
            assert "dtype" not in (kwargs or {}) or "sum" not in function.__name__
            return made

    with Watch():
        digest_tensor(values)
    assert 0 < most <= 8 * 2**22


def test_fused_weights_are_the_sum_of_their_parts():
    engine = {
        "l.qkv_proj.weight": ParameterDigest(0.5, 6.0),
        "norm.weight": ParameterDigest(4.0, 4.0),
    }
    assert compare_weights(POLICY, engine) == (2, (), ())


def test_a_weight_that_differs_is_named():
    engine = {
        "l.qkv_proj.weight": ParameterDigest(0.5, 6.0),
        "norm.weight": ParameterDigest(4.0, 4.001),
    }
    assert compare_weights(POLICY, engine).differing == ("norm.weight",)


def test_a_weight_that_only_changed_sign_is_found():
    assert compare_weights(
        {"w": ParameterDigest(1.0, 1.0)}, {"w": ParameterDigest(-1.0, 1.0)}
    ).differing == ("w",)


def test_what_the_policy_lacks_is_named():
    assert compare_weights(POLICY, {"other.weight": ParameterDigest(1.0, 1.0)}) == (
        0,
        (),
        ("other.weight",),
    )


def test_the_shards_of_two_workers_add_up_to_the_whole():
    """Rows 0 and 1 are dealt out; row 2 is on both, as a head of keys is; so is the norm."""
    qkv, norm = torch.tensor([[1.0, -2.0], [3.0, 4.0], [-5.0, 0.5]]), torch.tensor([2.0, -1.0])
    shards = [
        {
            "qkv": _weigh_digests([(qkv[row : row + 1], 1), (qkv[2:], 2)]),
            "norm": _weigh_digests([(norm, 2)]),
        }
        for row in (0, 1)
    ]
    assert shards[0]["qkv"] == ParameterDigest(-1 - 2.25, 3 + 2.75)
    assert add_shards(shards) == {"qkv": digest_tensor(qkv), "norm": digest_tensor(norm)}


def test_one_worker_has_it_all():
    assert add_shards([POLICY]) == POLICY
