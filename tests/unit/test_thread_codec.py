"""A thread's values as JSON: what goes in comes out."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.model import Attachment, MemoryKey, Message, MessageId, Person, Pin, Role, SessionId, Summary, UserId
from memory.stores.thread_codec import decode_message, decode_summary, encode_message, encode_summary

_SESSION = SessionId("console:local:main:a")
_texts = st.text(st.characters(codec=None), max_size=40)  # half an emoji included
_numbers = st.integers(min_value=0, max_value=2**53).map(MessageId)
_keys = st.sampled_from(["f1", "m2.1", "e3"]).map(MemoryKey)
_messages = st.builds(
    Message,
    message_id=_numbers,
    session_id=st.just(_SESSION),
    role=st.sampled_from(Role),
    author=st.none() | st.builds(Person, user_id=_texts.map(UserId), name=_texts),
    text=_texts,
    sent_at=st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - the strategy adds it
    version=st.integers(min_value=1, max_value=99),
    reply_to=st.none() | _numbers,
    used=st.lists(_keys, max_size=3).map(tuple),
    link=st.none() | _texts,
    attachments=st.lists(
        st.builds(Attachment, name=_texts, text=st.none() | _texts, ref=_texts, is_whole=st.booleans()), max_size=3
    ).map(tuple),
)
_pins = st.builds(Pin, text=_texts, kind=_texts, said_by=st.sampled_from(Role), message_id=_numbers)
_summaries = st.builds(Summary, text=_texts, pins=st.lists(_pins, max_size=3).map(tuple), through=_numbers)


@given(_messages)
def test_message_round_trips(message: Message) -> None:
    """Every field of a message survives."""
    assert decode_message(encode_message(message), _SESSION) == message


@given(_summaries)
def test_summary_round_trips(summary: Summary) -> None:
    """Every field of a summary and of its pins survives."""
    assert decode_summary(encode_summary(summary)) == summary


@given(st.binary(max_size=40) | st.sampled_from([b"{}", b"[]", b"null", b"1", b'{"p":1}', b'{"p":[[1]],"t":"","u":1}']))
def test_anything_else_is_a_value_error(data: bytes) -> None:
    """What another release or another program wrote is told apart, by one error."""
    with pytest.raises(ValueError):  # noqa: PT011 - the module's one error
        decode_message(data, _SESSION)
    with pytest.raises(ValueError):  # noqa: PT011 - the same
        decode_summary(data)


@pytest.mark.parametrize(
    "data", [b'{"i":1,"r":"user","t":"x","s":"x"}', b'{"i":1,"r":"boss","t":"x","s":"2026-11-02"}']
)
def test_wrong_values_are_a_value_error(data: bytes) -> None:
    """A date or role that is none is told apart too."""
    with pytest.raises(ValueError):  # noqa: PT011 - the module's one error
        decode_message(data, _SESSION)
