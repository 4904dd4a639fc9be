"""From episodes to OpenRLHF's batches, with OpenRLHF's own classes and loss."""

import asyncio

import pytest
from masa_control import Expert, Planner, PredictiveGate, run_episode

from tests.masa_control.fakes import (
    PROBLEM,
    ScriptedEngine,
    ScriptedVerifier,
    make_completion,
    make_prediction_text,
    make_settings,
)
from tests.stack.experiences import LetterTokenizer, compute_batch_advantages, make_weighted_maker


@pytest.fixture(scope="module")
def experience(importable_here):
    from masa_openrlhf.stack import experience

    return experience


def episode(right, meta=2, solution=4, length=6):
    engine = ScriptedEngine(
        meta=[
            make_completion(make_prediction_text(8 * i // max(1, meta - 1), 5)) for i in range(meta)
        ],
        solution=[make_completion("it is 4", tokens=length + i) for i in range(right)]
        + [make_completion("it is 5", tokens=2 + i) for i in range(solution - right)],
    )
    return asyncio.run(
        run_episode(
            PROBLEM,
            engine=engine,
            verifier=ScriptedVerifier(),
            settings=make_settings(meta, solution),
        )
    )


def by_sample(batches):
    """(tag, advantage of its tokens) of every sample."""
    for batch in batches:
        for tag, row, mask in zip(batch.labels, batch.advantages, batch.action_mask, strict=True):
            values = row[mask.bool()]
            assert (values == values[0]).all()
            yield tag, float(values[0])


def test_a_sample_is_prompt_and_response(experience):
    one = episode(right=1)
    meta, *_, solution = experience.make_episode_samples(one, "0")
    assert meta.sequences[0].tolist() == [*one.meta_prompt_ids, *one.meta[0].completion.token_ids]
    # The mask is over next tokens: the first response token stands one before its place.
    assert int(meta.action_mask.sum()) == len(one.meta[0].completion.token_ids)
    assert int(meta.action_mask[0].nonzero()[0]) == len(one.meta_prompt_ids) - 1
    assert meta.labels[0][:3] == ("0/meta", "meta", True)
    assert solution.labels[0][:3] == ("0/solution", "solution", True)
    assert solution.rollout_log_probs.shape == solution.action_mask.shape
    assert float(solution.rollout_log_probs.sum()) == pytest.approx(
        -0.5 * len(one.solutions[-1].completion.token_ids)
    )


def test_m_and_g_differ_and_every_group_is_its_own(experience):
    samples = [
        sample
        for i, right in enumerate([1, 2, 4])
        for sample in experience.make_episode_samples(episode(right, meta=3, solution=5), str(i))
    ]
    made = make_weighted_maker(experience, batch=24, micro=5, estimator="dr_grpo")
    batches = compute_batch_advantages(made, samples)
    groups = {}
    for tag, advantage in by_sample(batches):
        groups.setdefault(tag.group, []).append(advantage)
    assert {name: len(values) for name, values in groups.items()} == {
        **{f"{i}/meta": 3 for i in range(3)},
        **{f"{i}/solution": 5 for i in range(3)},
    }
    assert sorted(groups["0/solution"]) == pytest.approx([-0.2] * 4 + [0.8])
    assert sorted(groups["2/solution"]) == pytest.approx([-0.8] + [0.2] * 4)
    for values in groups.values():
        assert sum(values) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("ranks", [1, 2, 3])
@pytest.mark.parametrize("episodes", [1, 2, 5])
def test_every_rank_gets_as_much_and_no_sample_is_lost(experience, ranks, episodes):
    samples = [
        sample
        for i in range(episodes)
        for sample in experience.make_episode_samples(episode(2, meta=3, solution=4), str(i))
    ]
    micro = 4
    size = -(-35 // (ranks * micro)) * ranks * micro
    made = make_weighted_maker(experience, ranks=ranks, batch=size, micro=micro)
    batches = made.maker.split_rollout_samples(made.maker._filled(samples))
    # As OpenRLHF deals them out: equal chunks of the list.
    assert len(batches) % ranks == 0
    chunk = len(batches) // ranks
    shares = [batches[i * chunk : (i + 1) * chunk] for i in range(ranks)]
    assert {sum(len(b.labels) for b in share) for share in shares} == {size // ranks}
    tags = [tag for batch in batches for tag in batch.labels]
    assert sum(tag.kind != "filler" for tag in tags) == len(samples)
    tokens = [sum(float(b.total_length.sum()) for b in share) for share in shares]
    assert max(tokens) - min(tokens) <= max(float(s.total_length) for s in samples)


@pytest.mark.parametrize("fillers", [9, 200])  # 200: scaled advantages would be clipped at 10
@pytest.mark.parametrize(
    ("loss_type", "mode"),
    [
        ("ppo", "token-mean"),
        ("ppo", "seq-mean-token-mean"),
        ("gspo", "token-mean"),  # its mean is over sequences whatever is set
        ("gspo", "seq-mean-token-mean"),
    ],
)
def test_fillers_do_not_change_the_gradient(experience, loss_type, mode, fillers):
    import torch
    from openrlhf.models import PolicyLoss

    samples = experience.make_episode_samples(episode(2, meta=3, solution=4), "0")
    gradients = []
    for size in (len(samples), len(samples) + fillers):
        made = make_weighted_maker(
            experience, batch=size, micro=size, mode=mode, loss_type=loss_type
        )
        (batch,) = compute_batch_advantages(made, list(samples))
        torch.manual_seed(0)
        theta = torch.zeros((), requires_grad=True)
        # A log-probability that depends on the token, so that a wrong weight would show.
        logprobs = theta * batch.sequences[:, 1:].float() / 100
        loss_of = PolicyLoss(token_level_loss=mode == "token-mean", policy_loss_type=loss_type)
        loss, *_ = loss_of(
            logprobs, logprobs.detach(), batch.advantages, action_mask=batch.action_mask
        )
        loss.backward()
        gradients.append(theta.grad.item())
    assert gradients[0] != 0
    assert gradients[1] == pytest.approx(gradients[0], rel=1e-4)


def test_rewards_are_clipped_for_what_they_are(experience):
    """Not for what fills the batch: fillers leave each share of the loss as it was."""
    samples = experience.make_episode_samples(episode(1, solution=4), "0")
    shares = []
    for size in (len(samples), 20 * len(samples)):
        made = make_weighted_maker(experience, batch=size, micro=size, mode="seq-mean-token-mean")
        made.maker.args.reward.clip_range = (-0.5, 1.0)
        rows = by_sample(compute_batch_advantages(made, list(samples)))
        shares.append(
            sorted(round(value / size, 5) for tag, value in rows if tag.kind == "solution")
        )
    # One right of four: advantages 1.73 and three times -0.58, six sequences in the mean.
    assert shares[0] == shares[1] == pytest.approx([-0.5 / 6] * 3 + [1.0 / 6], abs=1e-4)


def test_more_samples_than_a_batch_was_laid_out_for_are_not_dropped(experience):
    """Packed, OpenRLHF would train on the first so many, without a word."""
    samples = experience.make_episode_samples(episode(2, meta=2, solution=4), "0")
    assert len(make_weighted_maker(experience, batch=3, updates=2).maker._filled(samples)) == 6
    with pytest.raises(RuntimeError, match="6 samples are more than"):
        make_weighted_maker(experience, batch=3, updates=1).maker._filled(samples)


def test_fillers_and_experts_show_no_gap_between_vllm_and_the_policy(experience):
    samples = [
        *experience.make_episode_samples(episode(2), "0"),
        *clones(experience, expert("p5", ((1, 2),))),
    ]
    (batch,) = compute_batch_advantages(make_weighted_maker(experience, batch=8, micro=8), samples)
    gaps = ((batch.rollout_log_probs - batch.action_log_probs) * batch.action_mask).sum(dim=-1)
    for tag, gap in zip(batch.labels, gaps.tolist(), strict=True):
        assert (gap == 0) == (tag.kind in ("filler", "expert"))
    assert {tag.kind for tag in batch.labels} == {"meta", "solution", "expert", "filler"}


@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (2, 500)])
def test_returns_are_those_of_openrlhf_without_a_discount(experience, shape):
    import torch

    draw = torch.Generator().manual_seed(0)
    rewards = torch.randn(shape, generator=draw)
    mask = (torch.rand(shape, generator=draw) < 0.7).long()
    stock = experience.RemoteExperienceMaker.get_cumulative_returns(None, rewards, mask, 1.0)
    found = experience.compute_undiscounted_returns(rewards, mask)
    assert found.dtype == stock.dtype
    torch.testing.assert_close(found, stock, rtol=1e-5, atol=1e-5)
    # Without a KL penalty the one reward stands at the end, and comes out as it went in.
    alone = torch.zeros(shape)
    alone[:, -1] = 0.3
    assert torch.equal(
        experience.compute_undiscounted_returns(alone, torch.ones(shape)),
        torch.full(shape, alone[0, -1]),
    )


def test_making_experiences_is_timed(experience):
    made = make_weighted_maker(experience, batch=8, micro=8)
    compute_batch_advantages(made, experience.make_episode_samples(episode(2), "0"))
    assert set(made.maker._watch.take()) == {"conversion"}


def test_the_meta_weight(experience):
    samples = experience.make_episode_samples(episode(2, meta=3), "0")
    found = []
    for weight in (1.0, 0.25):
        made = make_weighted_maker(experience, batch=len(samples), meta_weight=weight)
        found.append(dict.fromkeys(("meta", "solution"), 0.0))
        for tag, advantage in by_sample(compute_batch_advantages(made, list(samples))):
            found[-1][tag.kind] += abs(advantage)
    assert found[1]["solution"] == pytest.approx(found[0]["solution"])
    assert found[1]["meta"] == pytest.approx(0.25 * found[0]["meta"]) != 0


@pytest.mark.parametrize("mode", ["token-mean", "seq-mean-token-mean"])
def test_a_skipped_problem_counts_as_one_without_variance(experience, mode):
    """Two of three problems skipped: as if they had been rolled out, as long, and all right."""
    told = experience.make_episode_samples(episode(2, meta=3), "0")
    others = [experience.make_episode_samples(episode(4, meta=3, length=3), str(i)) for i in (1, 2)]

    def advantages(samples, rolled_out):
        """Of the problem that is told, as they stand in the mean over all that counts."""
        made = make_weighted_maker(experience, batch=21, micro=21, mode=mode, rolled_out=rolled_out)
        (batch,) = compute_batch_advantages(made, list(samples))
        size = batch.action_mask.sum() if mode == "token-mean" else len(batch.labels)
        rows = zip(batch.labels, batch.advantages, strict=True)
        return sorted(
            (tag.kind, round(float(row.sum() / size), 4))
            for tag, row in rows
            if tag.group.startswith("0")
        )

    counted = advantages(told, 1 / 3)
    assert {kind for kind, value in counted if value} == {"meta", "solution"}
    assert counted == advantages([*told, *others[0], *others[1]], 1.0)
    assert counted != advantages(told, 1.0)


def test_a_rollout_that_could_not_be_judged_is_not_trained_on(experience):
    engine = ScriptedEngine(
        meta=[make_completion(make_prediction_text(8, 3))] * 2,
        solution=[make_completion(t) for t in ("is 4", "is 5", "is ?", "is 4")],
    )
    one = asyncio.run(
        run_episode(
            PROBLEM, engine=engine, verifier=ScriptedVerifier(), settings=make_settings(2, 4)
        )
    )
    made = make_weighted_maker(experience, batch=5, estimator="dr_grpo")
    found = [
        round(advantage, 5)
        for tag, advantage in by_sample(
            compute_batch_advantages(made, experience.make_episode_samples(one, "0"))
        )
        if tag.kind == "solution"
    ]
    assert sorted(found) == [-0.66667, 0.33333, 0.33333]


def test_a_skipped_problem_gives_nothing_to_train_on(experience):
    engine = ScriptedEngine(meta=[make_completion(make_prediction_text(8, 3))] * 2)
    planner = Planner(step=1, seed=0, gate=PredictiveGate())
    one = asyncio.run(
        run_episode(
            PROBLEM,
            engine=engine,
            verifier=ScriptedVerifier(),
            settings=make_settings(2, 4),
            planner=planner,
        )
    )
    assert one.skipped == "trivial"
    assert experience.make_episode_samples(one, "0") == []


def expert(text, numbers, unknown=(), problem="7"):
    return Expert(
        problem_id=problem,
        prompt_ids=(70, 71, 72),
        text=text,
        numbers=numbers,
        unknown=unknown,
        reward=0.5,
        weight=1.0,
        step=1,
    )


def clones(experience, *experts, number_weight=8.0):
    return experience.make_clone_samples(
        experts, LetterTokenizer(), number_weight=number_weight, logprobs=True
    )


def test_an_expert_is_its_prompt_its_corrected_text_and_the_end(experience):
    (made,) = clones(experience, expert("p5 l90", ((1, 2),), unknown=((4, 6),)))
    assert made.sequences[0].tolist() == [70, 71, 72, *map(ord, "p5 l90"), 1]
    assert int(made.action_mask.sum()) == 7
    (tag,) = made.labels
    assert tag.kind == "expert"
    # The true number weighs 8; the length that nobody knows nothing; the rest, the end too, 1.
    assert tag.token_weights == (1, 8, 1, 1, 0, 0, 1)


@pytest.mark.parametrize("mode", ["token-mean", "seq-mean-token-mean"])
@pytest.mark.parametrize("size", [8, 24])
def test_cloning_is_a_weighted_likelihood_beside_the_policy_loss(experience, mode, size):
    """One gradient of both: as of the policy loss alone plus weight x the cloning loss alone."""
    import torch
    from openrlhf.models import PolicyLoss

    rollouts = experience.make_episode_samples(episode(2, meta=2, solution=4), "0")
    experts = [expert("p5 l90", ((1, 2),), ((4, 6),)), expert("p8", ((1, 2),), problem="8")]

    def loss_of(samples, batch_size, clone_weight):
        made = make_weighted_maker(
            experience, batch=batch_size, micro=batch_size, mode=mode, clone_weight=clone_weight
        )
        (batch,) = compute_batch_advantages(made, list(samples))
        theta = torch.zeros((), requires_grad=True)
        logprobs = theta * batch.sequences[:, 1:].float() / 100
        loss, *_ = PolicyLoss(token_level_loss=mode == "token-mean")(
            logprobs, logprobs.detach(), batch.advantages, action_mask=batch.action_mask
        )
        loss.backward()
        return theta.grad.item()

    def cloning():
        """The gradient of the weighted mean of -log p, by hand."""
        rows = []
        for made in clones(experience, *experts):
            weights = torch.tensor(made.labels[0].token_weights)
            rows.append((weights, made.sequences[0, -len(weights) :].float() / 100))
        if mode == "token-mean":
            pulls = sum((w * x).sum() for w, x in rows)
            return -(pulls / sum(w.sum() for w, _ in rows)).item()
        return -sum((w * x).sum() / w.sum() for w, x in rows).item() / len(rows)

    policy = loss_of(rollouts, 6, 0.0)
    both = loss_of([*rollouts, *clones(experience, *experts)], size, 0.25)
    assert policy != 0
    assert both == pytest.approx(policy + 0.25 * cloning(), rel=1e-4)


def test_experts_alone_are_a_step_too(experience):
    made = make_weighted_maker(experience, batch=4, clone_weight=0.5)
    batches = compute_batch_advantages(made, clones(experience, expert("p5", ((1, 2),))))
    ((tag, _), *_) = [
        (tag, row)
        for batch in batches
        for tag, row in zip(batch.labels, batch.advantages, strict=True)
        if tag.kind == "expert"
    ]
    assert tag.token_weights == (1, 8, 1)
    assert all(bool(batch.advantages.isfinite().all()) for batch in batches)


def test_the_overlong_penalty_is_for_solutions_alone(experience):
    made = make_weighted_maker(experience, batch=6)
    made.maker.args.reward.overlong_buffer_len = 98.0  # beyond 2 tokens
    made.maker.args.reward.overlong_penalty_factor = 1.0
    samples = experience.make_episode_samples(episode(2, length=50), "0")
    before = [float(s.rewards) for s in samples]
    made.maker.make_experience = lambda batches: batches
    made.maker.compute_advantages_and_returns = lambda batches: batches
    made.maker.make_experience_batch(samples)
    after = [float(s.rewards) for s in samples]
    assert after[:2] == before[:2]
    assert after[2] == pytest.approx(1 - 48 / 98)
    assert after[3] == pytest.approx(1 - 49 / 98)


@pytest.mark.parametrize(("ranks", "problems"), [(8, 2), (8, 5), (2, 1), (3, 4)])
def test_packed_batches_keep_to_the_limit_however_little_there_is(experience, ranks, problems):
    """OpenRLHF rounds their number down to the ranks: up to twice the tokens in each."""
    samples = [
        sample
        for number in range(problems)
        for sample in experience.make_episode_samples(
            episode(2, solution=8, length=60 + number), str(number)
        )
    ]
    size = -(-len(samples) // ranks) * ranks
    made = make_weighted_maker(experience, ranks=ranks, batch=size)
    made.maker.args.train.dynamic_batch_enable = True
    limit = made.maker.args.rollout.max_tokens_per_gpu = 2 * max(
        int(s.total_length) for s in samples
    )
    batches = made.maker.split_rollout_samples(made.maker._filled(samples))
    assert len(batches) % ranks == 0
    assert sum(len(batch.labels) for batch in batches) == size
    assert max(float(batch.total_length.sum()) for batch in batches) <= 1.02 * limit


def test_dealing_refuses_what_does_not_divide(experience):
    samples = experience.make_episode_samples(episode(2), "0")
    with pytest.raises(ValueError, match="6 samples cannot be dealt evenly to 4 ranks"):
        experience.deal_samples(samples, 4)
