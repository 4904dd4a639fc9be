import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from masa_openrlhf.eval.engine.messages import (
    EngineReady,
    GeneratedAnswer,
    GenerateReply,
    StartMessage,
    decode_engine_message,
    encode_message,
)

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=20)


@given(st.lists(ANY_TEXT, max_size=3))
def test_whatever_a_model_says_comes_over_as_it_is(texts):
    answers = tuple(GeneratedAnswer(text=text, tokens=1, truncated=False) for text in texts)
    reply = GenerateReply(id="a", prompt_tokens=3, answers=answers)
    line = encode_message(reply)
    assert line.isascii()
    assert line.count("\n") == 1
    assert decode_engine_message(line.encode()) == reply


def test_a_line_holds_what_it_has_to_say_and_no_more():
    room = GenerateReply(id="a", prompt_tokens=30, room=20)
    assert encode_message(room) == '{"id": "a", "prompt_tokens": 30, "room": 20}\n'
    assert encode_message(EngineReady(max_model_len=9)) == '{"ready": true, "max_model_len": 9}\n'
    start = StartMessage(
        arguments={"max_model_len": None}, environment={}, asked_as={}, chat_if_any=False
    )
    assert json.loads(encode_message(start))["arguments"] == {"max_model_len": None}


@pytest.mark.parametrize("fields", [{}, {"answers": (), "room": 20}])
def test_a_reply_has_answers_or_the_room_there_is(fields):
    with pytest.raises(ValueError, match="either answers or room"):
        GenerateReply(id="a", prompt_tokens=3, **fields)


@pytest.mark.parametrize("line", ['{"ready": false}', '{"id": "a"}', "[]", "INFO 11-27 loading"])
def test_what_is_no_message_of_a_copy_is_refused(line):
    with pytest.raises(ValueError):  # noqa: PT011  # JSON's own, or pydantic's
        decode_engine_message(line)
