import pytest
from masa_openrlhf.digest import Digest, compare, digest

torch = pytest.importorskip("torch")

POLICY = {
    "l.q_proj.weight": Digest(1.0, 2.0),
    "l.k_proj.weight": Digest(0.5, 1.0),
    "l.v_proj.weight": Digest(-1.0, 3.0),
    "norm.weight": Digest(4.0, 4.0),
}


def test_a_digest_is_the_sum_and_the_absolute_sum():
    assert digest(torch.tensor([1.0, -2.0, 0.5])) == Digest(-0.5, 3.5)


def test_fused_weights_are_the_sum_of_their_parts():
    engine = {"l.qkv_proj.weight": Digest(0.5, 6.0), "norm.weight": Digest(4.0, 4.0)}
    assert compare(POLICY, engine) == (2, (), ())


def test_a_weight_that_differs_is_named():
    engine = {"l.qkv_proj.weight": Digest(0.5, 6.0), "norm.weight": Digest(4.0, 4.001)}
    assert compare(POLICY, engine).differing == ("norm.weight",)


def test_a_weight_that_only_changed_sign_is_found():
    assert compare({"w": Digest(1.0, 1.0)}, {"w": Digest(-1.0, 1.0)}).differing == ("w",)


def test_what_the_policy_lacks_is_named():
    assert compare(POLICY, {"other.weight": Digest(1.0, 1.0)}) == (0, (), ("other.weight",))
