"""Cleaning what people send, and splitting what Recall answers."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.text import EMPTY, LEAST_LIMIT, MAX_MESSAGE_CHARS, clean_input, file_text, split_text
from memory.errors import InputError

_WORDS = st.text(alphabet="ab .\n", max_size=300)
_CODE = st.builds(
    lambda marker, language, code, closed: f"\n{marker}{language}\n{code}\n{marker if closed else ''}\n",
    st.sampled_from(["```", "````", "~~~"]),
    st.sampled_from(["", "python", "yaml"]),
    st.text(alphabet="xy \n", max_size=400),
    st.booleans(),
)
_ANSWERS = st.lists(st.one_of(_WORDS, _CODE), max_size=6).map("".join)


def test_clean_input_replaces_invalid_utf8() -> None:
    """Bytes that are no UTF-8 become visible replacement characters; the rest stays."""
    assert clean_input(b"disk \xff full") == "disk \ufffd full"


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("a\x00b\x1b[31mc\x7f", "ab[31mc"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("tab\tstays", "tab\tstays"),
        ("rm \u202etxt.exe\u2066x", "rm txt.exex"),
        ("pass\u200bword \ufeffx", "password x"),
        ("api\u200d-7f9c", "api-7f9c"),
        ("hi\U000e0069\U000e0067nore", "hinore"),
        ("lone \ud83d half", "lone  half"),
    ],
)
def test_clean_input_removes_what_nobody_sees(raw: str, clean: str) -> None:
    """Controls, direction overrides and stray zero-width characters go without splitting a word."""
    assert clean_input(raw) == clean


@pytest.mark.parametrize(
    "text",
    [
        "👩\u200d💻 on call",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "سی\u200cبی",
        "שלום",
    ],
)
def test_clean_input_keeps_emoji_and_scripts(text: str) -> None:
    """Joiners inside emoji and letters, flags and right-to-left scripts stay as they are."""
    assert clean_input(text) == text


@pytest.mark.parametrize("raw", ["", "  \n\t", "\x00\x01", "\u200b\u200d", b"\xef\xbb\xbf", "\u202e", "\u3164"])
def test_clean_input_refuses_nothing_in_one_line(raw: bytes | str) -> None:
    """A message without anything visible is refused in one clear line."""
    with pytest.raises(InputError, match=EMPTY):
        clean_input(raw)


def test_clean_input_limits_length() -> None:
    """The longest message is taken, a longer one is refused with both numbers."""
    assert len(clean_input("a" * MAX_MESSAGE_CHARS)) == MAX_MESSAGE_CHARS
    with pytest.raises(InputError, match="200,001 characters; I take at most 200,000"):
        clean_input("a" * (MAX_MESSAGE_CHARS + 1))


@given(st.one_of(st.text(), st.binary()))
def test_clean_input_is_stable(raw: bytes | str) -> None:
    """What was cleaned once is clean, and can be encoded."""
    try:
        cleaned = clean_input(raw)
    except InputError:
        return

    assert clean_input(cleaned) == cleaned
    assert cleaned.encode("utf-8")


def test_split_text_leaves_short_text_alone() -> None:
    """A text within the limit is one part; a blank one is none."""
    assert split_text("short", 100) == ["short"]
    assert split_text(" \n", 100) == []


def test_split_text_cuts_at_paragraphs_first() -> None:
    """A paragraph break is preferred to a later line break."""
    text = "a" * 60 + "\n\n" + "b" * 20 + "\n" + "c" * 60

    assert split_text(text, 100) == ["a" * 60 + "\n\n", "b" * 20 + "\n" + "c" * 60]


def test_split_text_moves_a_whole_code_block() -> None:
    """A code block that fits one part is not broken, but begins the next part."""
    block = "```yaml\n" + "k: v\n" * 12 + "```\n"

    assert split_text("w" * 50 + "\n" + block, 100) == ["w" * 50 + "\n", block]


def test_split_text_reopens_a_long_code_block_with_its_language() -> None:
    """A code block longer than a part is closed at the cut and opened again in the same language."""
    code = "".join(f"print({number})\n" for number in range(40))
    parts = split_text(f"```python\n{code}```\n", 100)

    assert len(parts) > 1
    assert all(part.startswith("```python\n") for part in parts)
    assert all(part.rstrip().endswith("\n```") for part in parts)
    assert "".join(re.sub(r"```(python)?\n?", "", part) for part in parts) == code


def test_split_text_needs_room_for_repairs() -> None:
    """A limit that cannot hold a repaired fence is the caller's error."""
    with pytest.raises(ValueError, match="below"):
        split_text("x", LEAST_LIMIT - 1)


@given(st.text(alphabet="ab .\n", max_size=2_000), st.integers(LEAST_LIMIT, 300))
def test_split_text_without_code_joins_back(text: str, limit: int) -> None:
    """Without code blocks the parts joined are the text, blank parts apart, and none is over the limit."""
    parts = split_text(text, limit)

    assert "".join("".join(parts).split()) == "".join(text.split())
    assert all(0 < len(part) <= limit and part.strip() for part in parts)


@given(_ANSWERS, st.integers(LEAST_LIMIT, 300))
def test_split_text_balances_code_blocks(text: str, limit: int) -> None:
    """Whatever the text: no part over the limit, nothing lost but fences, and each part but the last closes its own."""
    parts = split_text(text, limit)

    assert all(0 < len(part) <= limit for part in parts)
    assert _bare("".join(f"{part}\n" for part in parts)) == _bare(text)
    assert all(_is_closed(part) for part in parts[:-1])


def _bare(text: str) -> str:
    without_fences = re.sub(r"^(?:`{3,}|~{3,})\w*$", "", text, flags=re.MULTILINE)
    return "".join(without_fences.split())


def _is_closed(part: str) -> bool:
    marker = ""
    for line in part.split("\n"):
        fence = re.match(r"(`{3,}|~{3,})(\w*)$", line)
        if fence and not marker:
            marker = fence[1]
        elif fence and fence[1].startswith(marker) and not fence[2]:
            marker = ""
    return not marker


def test_a_message_with_a_file_needs_no_words() -> None:
    """What is not visible is no word either."""
    assert clean_input(" \u200b\n", may_be_empty=True) == ""
    assert clean_input(" look ", may_be_empty=True) == "look"


@given(st.binary(max_size=300), st.booleans())
def test_a_file_is_clean_text_or_none(data: bytes, is_whole: bool) -> None:  # hypothesis gives it
    """Whatever its bytes: no control characters, and nothing of a binary."""
    text = file_text(data, is_whole=is_whole)

    assert text is None or clean_input(text, may_be_empty=True) == clean_input(text.strip(), may_be_empty=True)
    assert b"\0" not in data or text is None or data.startswith((b"\xff\xfe", b"\xfe\xff"))


@given(st.text(st.characters(exclude_categories=["C"]), max_size=200))
def test_a_file_keeps_its_words(text: str) -> None:
    """In UTF-8 and in UTF-16, with the mark that Windows sets."""
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        assert clean_input(file_text(text.encode(encoding)) or "", may_be_empty=True) == clean_input(
            text, may_be_empty=True
        )
