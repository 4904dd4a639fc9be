"""Looking at problems that come later, with torchdata's own loader, takes none of them."""

import random

import pytest
from masa_openrlhf.reading.look_ahead import LookAhead

# torchdata calls what torch has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:'set_vital' is deprecated:UserWarning")

ITEMS = 17


def make_loader():
    import torch
    from torchdata.stateful_dataloader import StatefulDataLoader

    return StatefulDataLoader(
        list(range(ITEMS)), batch_size=1, shuffle=True, generator=torch.Generator().manual_seed(3)
    )


def take_all(iterator):
    return [int(item) for item in iterator]


def test_what_was_looked_at_is_still_to_come():
    whole = take_all(make_loader())
    ahead = LookAhead(make_loader())
    assert [int(item) for item in ahead.peek(5)] == whole[:5]
    assert int(next(ahead)) == whole[0]
    assert [int(item) for item in ahead.peek(3)] == whole[1:4]
    assert [int(item) for item in ahead.peek(99)] == whole[1:]
    assert take_all(ahead) == whole[1:]
    assert ahead.peek(2) == []
    with pytest.raises(StopIteration):
        next(ahead)


@pytest.mark.parametrize("seed", range(8))
def test_a_resume_goes_on_after_the_last_item_that_was_taken(seed):
    """However many were looked at, as a loader does at which nobody looked ahead."""
    draw = random.Random(seed)
    whole, plain = take_all(make_loader()), make_loader()
    ahead, walked, taken = LookAhead(make_loader()), iter(plain), 0
    while taken < ITEMS:
        ahead.peek(draw.randrange(7))
        for _ in range(min(draw.randrange(1, 5), ITEMS - taken)):
            assert int(next(ahead)) == int(next(walked)) == whole[taken]
            taken += 1
        ahead.peek(draw.randrange(7))
        resumed = make_loader()
        resumed.load_state_dict(ahead.state_dict())
        expected = make_loader()
        expected.load_state_dict(plain.state_dict())
        assert take_all(resumed) == take_all(expected) == whole[taken:]


def test_before_anything_is_taken_a_resume_begins_at_the_beginning():
    ahead = LookAhead(make_loader())
    ahead.peek(6)
    resumed = make_loader()
    resumed.load_state_dict(ahead.state_dict())
    assert take_all(resumed) == take_all(make_loader())
