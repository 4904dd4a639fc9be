"""Log-probabilities in chunks are those of whole logits, and so are their gradients."""

import pytest

torch = pytest.importorskip("torch")

from masa_openrlhf.gpu import log_probs  # noqa: E402

HIDDEN, VOCABULARY = 8, 50


def made(tokens=23, dtype=torch.float32, bias=False):
    generator = torch.Generator().manual_seed(0)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float32).to(dtype)

    hidden = normal(1, tokens, HIDDEN).requires_grad_()
    weight = normal(VOCABULARY, HIDDEN).requires_grad_()
    offset = normal(VOCABULARY).requires_grad_() if bias else None
    labels = torch.randint(0, VOCABULARY, (1, tokens), generator=generator)
    pull = torch.randn(1, tokens, 2, generator=generator)
    return hidden, weight, offset, labels, pull


def whole(hidden, weight, bias, labels, temperature):
    """OpenRLHF's way: logits in float32, divided by the temperature."""
    logits = torch.nn.functional.linear(hidden, weight, bias).to(torch.float32) / temperature
    logs = logits.log_softmax(-1)
    entropy = torch.logsumexp(logits, -1) - (logits.softmax(-1) * logits).sum(-1)
    return torch.stack([logs.gather(-1, labels[..., None])[..., 0], entropy], -1)


def gradients(found, pull, *leaves):
    loss = (found * pull[..., : found.shape[-1]]).sum()
    return torch.autograd.grad(loss, [leaf for leaf in leaves if leaf is not None])


@pytest.fixture(params=[1, 7, 1000], ids=lambda size: f"chunks of {size}")
def chunks(request, monkeypatch):
    monkeypatch.setattr(log_probs, "CHUNK_BYTES", 4 * VOCABULARY * request.param)


@pytest.mark.parametrize("temperature", [1.0, 0.6])
@pytest.mark.parametrize("bias", [False, True], ids=["", "bias"])
@pytest.mark.parametrize("entropy", [False, True], ids=["", "entropy"])
@pytest.mark.usefixtures("chunks")
def test_values_and_gradients_are_those_of_whole_logits(temperature, bias, entropy):
    hidden, weight, offset, labels, pull = made(bias=bias)
    found = log_probs.compute_log_probs(
        hidden, weight, offset, labels, temperature=temperature, entropy=entropy
    )
    expected = whole(hidden, weight, offset, labels, temperature)[..., : 1 + entropy]
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    ours = gradients(found, pull, hidden, weight, offset)
    theirs = gradients(expected, pull, hidden, weight, offset)
    for mine, stock in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, stock, rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("chunks")
def test_in_bfloat16_the_result_is_as_near_the_truth_as_that_of_whole_logits():
    hidden, weight, _, labels, pull = made(tokens=400, dtype=torch.bfloat16)
    exact = [x.detach().double().requires_grad_() for x in (hidden, weight)]
    truth = gradients(whole(*exact, None, labels, 1.0)[..., :1].double(), pull, *exact)
    found = log_probs.compute_log_probs(hidden, weight, None, labels, entropy=False)
    ours = gradients(found, pull, hidden, weight)
    theirs = gradients(whole(hidden, weight, None, labels, 1.0)[..., :1], pull, hidden, weight)
    for mine, stock, true in zip(ours, theirs, truth, strict=True):
        off, stock_off = ((g.double() - true).norm() / true.norm() for g in (mine, stock))
        assert off < 1.2 * stock_off
        assert mine.dtype == torch.bfloat16


def test_a_frozen_layer_gets_no_gradient():
    hidden, weight, _, labels, pull = made()
    found = log_probs.compute_log_probs(hidden, weight.detach(), None, labels, entropy=False)
    (ours,) = gradients(found, pull, hidden)
    (stock,) = gradients(whole(hidden, weight, None, labels, 1.0)[..., :1], pull, hidden)
    torch.testing.assert_close(ours, stock, rtol=1e-4, atol=1e-5)


class Model(torch.nn.Module):
    def __init__(self, scale=1.0, head=None):
        super().__init__()
        self.head = head or torch.nn.Linear(HIDDEN, VOCABULARY, bias=False)
        self.scale = scale

    def get_output_embeddings(self):
        return self.head

    def forward(self, hidden):
        logits = self.head(hidden)
        return logits if self.scale == 1.0 else logits * self.scale


def test_a_prepared_layer_answers_only_within_the_block():
    hidden, _, _, labels, _ = made()
    model = Model()
    before = model(hidden)
    assert log_probs.prepare_head(model)
    torch.testing.assert_close(model(hidden), before)
    with log_probs.ask_log_probs(model.head, labels, temperature=1.0, entropy=False) as asked:
        found = model(hidden)
    assert asked.answered(found)
    torch.testing.assert_close(
        found, whole(hidden, model.head.weight, None, labels, 1.0)[..., :1], rtol=1e-5, atol=1e-5
    )
    torch.testing.assert_close(model(hidden), before)


def test_a_model_that_changes_its_logits_is_found_out():
    hidden, _, _, labels, _ = made()
    model = Model(scale=2.0)
    assert log_probs.prepare_head(model)
    with log_probs.ask_log_probs(model.head, labels, temperature=1.0, entropy=False) as asked:
        found = model(hidden)
    assert not asked.answered(found)


def test_a_layer_of_another_kind_is_left_alone():
    class Scaled(torch.nn.Linear):
        pass

    model = Model(head=Scaled(HIDDEN, VOCABULARY))
    assert not log_probs.prepare_head(model)
    assert "forward" not in vars(model.head)
