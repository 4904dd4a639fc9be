"""Which half-known names a policy of the comparison has decided."""

import re

import pytest
from masa_benchmarks.comparison.names import (
    SHARE_EDGES,
    NameProbe,
    count_by_share,
    list_prefixes,
    measure_interference,
    measure_right_shares,
    print_names,
)
from masa_benchmarks.comparison.task import NAMES_BY_SORT, RANGES, find_range, make_problems
from masa_openrlhf.tiny.model import make_model


def test_a_half_known_name_is_asked_for_after_a_right_beginning():
    (problem,) = make_problems(1, 5, kinds=["learnable"])
    found = list_prefixes(problem)
    assert [name for name, _ in found] == [n for n in problem.names if n.sort == "half"]
    for name, text in found:
        before = problem.names[: problem.names.index(name)]
        assert text.endswith(f" {name.text} recall")
        sums = [int(total) for total in re.findall(r"fits sum (\d\d);", text)]
        values = [other.value for other in before]
        assert sums == [sum(values[: i + 1]) for i in range(len(values))]


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:The pynvml package is deprecated:FutureWarning")
def test_a_policy_says_how_many_names_it_has_decided_rightly_and_wrongly(tmp_path, capsys):
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from masa_benchmarks.comparison.tokenizer import make_tokenizer

    tokenizer = make_tokenizer()
    policy = make_model(tokenizer, 0)
    embedding = policy.get_input_embeddings().weight
    with torch.no_grad():  # whatever is asked, it says 4: right for some names
        for parameter in policy.parameters():
            parameter.zero_()
        policy.model.norm.weight.fill_(1.0)
        embedding[:, 0] = 1.0
        embedding[tokenizer(" 4", add_special_tokens=False)["input_ids"][-1], 0] = 50.0
    policy.save_pretrained(tmp_path / "run" / "model")
    tokenizer.save_pretrained(tmp_path / "run" / "model")
    asked = NameProbe(tmp_path / "run" / "model", problems=60)
    shares = measure_right_shares(asked)
    values = {name.text: name.value for name in NAMES_BY_SORT["half"]}
    assert shares.keys() <= values.keys()
    assert all(shares[name] > 0.99 for name in shares if values[name] == 4)
    assert all(shares[name] < 0.01 for name in shares if values[name] in (3, 5))
    fours = sum(values[name] == 4 for name in shares)
    assert count_by_share(shares)[-1] == fours > 0
    assert sum(count_by_share(shares)) == len(shares)
    assert count_by_share({"a": SHARE_EDGES[1], "b": 0.0, "c": 1.0}) == [1, 1, 0, 0, 0, 0, 1]
    assert measure_interference(asked, beginnings=1) == pytest.approx(
        1.0
    )  # one name is as another to it
    print_names([tmp_path / "run" / "model"])
    assert capsys.readouterr().out.splitlines()[-1].startswith("| run | ")


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:The pynvml package is deprecated:FutureWarning")
def test_the_pull_is_what_small_steps_really_move(tmp_path):
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from masa_benchmarks.comparison.tokenizer import make_tokenizer

    tokenizer = make_tokenizer()
    make_model(tokenizer, 0).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    asked = NameProbe(tmp_path, problems=8)
    parameters = list(asked.policy.parameters())

    def odds(text, of):
        fitting = RANGES[find_range(of.value)]
        values = asked.logits(text, 1)[0]
        return values[fitting.index(of.value)] - values[fitting.index(of.mistaken)]

    moved = []
    for text, name in asked.names.items():
        others = [
            t for t, n in asked.names.items() if find_range(n.value) == find_range(name.value)
        ]
        step = torch.autograd.grad(odds(text, name), parameters)
        with torch.no_grad():
            before = {other: float(odds(other, name)) for other in others}
            for parameter, direction in zip(parameters, step, strict=True):
                parameter += 1e-6 * direction
            change = {other: float(odds(other, name)) - before[other] for other in others}
            for parameter, direction in zip(parameters, step, strict=True):
                parameter -= 1e-6 * direction
        moved += [change[other] / change[text] for other in others if other != text]
    assert len(moved) > 10
    assert measure_interference(asked, beginnings=1) == pytest.approx(
        sum(moved) / len(moved), abs=0.05
    )
