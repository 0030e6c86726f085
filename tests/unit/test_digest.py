"""Digests of long texts: within the limit, the first error always there, repeats counted, gaps said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.digest import digest, first_trouble

_LINES = st.lists(
    st.one_of(
        st.text(alphabet="abcXYZ 019-:/{}\"'.\t", max_size=200),
        st.integers(0, 99).map(lambda second: f"2026-11-02T09:00:{second:02d}Z INFO GET /orders/{second} 200"),
        st.sampled_from(["", "  at com.acme.Orders.reserve(Orders.java:42)", "… 12 lines left out", "- name: api"]),
    ),
    max_size=400,
)
_ERROR = "2026-11-02T09:30:00Z ERROR stock is gone"


def _log(lines: int, *, error_at: int | None = None) -> list[str]:
    """Return a log of three kinds of lines, with an error and its trace in it."""
    said = ("GET /orders/", "cache hit user:", "queue depth ")
    log: list[str] = []
    for number in range(lines):
        at = f"2026-11-02T09:{number // 60 % 60:02d}:{number % 60:02d}.{number % 1000:03d}Z"
        log.append(f"{at} INFO {said[number % 7 % 3]}{number}")
        if number == error_at:
            log += [f"{at} ERROR order {number}: no stock", "Traceback (most recent call last):"]
            log += [f'  File "/app/m{frame}.py", line {frame}, in reserve' for frame in range(30)]
            log += ["acme.StockError: shelf 17 is empty"]
    return log


@given(st.one_of(_LINES.map("\n".join), st.text(max_size=3_000)), st.integers(0, 5_000))
def test_a_digest_is_never_longer_than_its_limit(text: str, limit: int) -> None:
    """Whatever the text; and one that fits stays as it is, so a digest's digest is the same."""
    short = digest(text, limit)

    assert len(short) <= limit
    assert digest(short, limit) == short
    assert short == text or len(text) > limit


@given(_LINES, st.data(), st.integers(800, 5_000))
def test_the_first_error_is_kept(lines: list[str], data: st.DataObject, limit: int) -> None:
    """Wherever it stands, whatever is around it."""
    at = data.draw(st.integers(0, len(lines)))

    assert _ERROR in digest("\n".join([*lines[:at], _ERROR, *lines[at:]]), limit)


def test_repeats_in_a_log_are_counted_wherever_they_stand() -> None:
    """Lines that differ only in times, ids and numbers are one line; the last ones show how it ended."""
    short = digest("\n".join(_log(5_000)), 4_000)

    assert short.count("more like this]") == 3
    assert len(short.splitlines()) == 13
    assert "23:19.999Z" in short.splitlines()[-1]


def test_an_error_keeps_its_stack_trace() -> None:
    """All of it where there is room, else its beginning and its end, where the cause is named."""
    log = "\n".join(_log(5_000, error_at=2_345))

    assert "ERROR order 2345: no stock" in digest(log, 4_000)
    for limit in (900, 4_000):
        assert "acme.StockError: shelf 17 is empty" in digest(log, limit)
    assert 'File "/app/m15.py"' in digest(log, 4_000)


def test_an_error_without_a_level_is_found_by_its_words() -> None:
    """A warning of trouble counts where nothing is marked as an error; "0 errors" is none."""
    lines = [f"step {chr(97 + number % 26)}{'x' * number} done, no errors" for number in range(200)]
    lines[120] = "connection to db-1 refused"

    assert "connection to db-1 refused" in digest("\n".join(lines), 1_500)


def test_what_is_left_out_is_said_in_its_place() -> None:
    """Beginning and end stay; the lines between them are counted, also by a digest of a digest."""
    lines = [
        f"{number:04d} {'abcdefghij'[number % 10] * (number % 37 + 3)} x{'y' * (number % 91)}" for number in range(800)
    ]
    once = digest("\n".join(lines), 8_000)
    twice = digest(once, 2_000)

    for short in (once, twice):
        shown = short.splitlines()
        assert (shown[0], shown[-1]) == (lines[0], lines[-1])
        (mark,) = [line for line in shown if line.endswith("lines left out")]
        assert int(mark.split()[1]) == len(lines) - len(shown) + 1


def test_a_manifest_keeps_its_shape() -> None:
    """Equal lines that do not follow one another are no repeats there; it stays whole where it fits."""
    manifest = "\n".join(
        f"- name: {name}\n  image: acme/{name}\n  protocol: TCP" for name in ("api", "worker", "cron", "web")
    )

    assert digest(manifest) == manifest
    assert digest(f"{manifest}\n" + "same line\n" * 2_000, 600).startswith(f"{manifest}\nsame line [and 1,999 more")


@pytest.mark.parametrize("text", ["a" * 1_000_000, "a." * 500_000, "\n" * 1_000_000, " \n" * 500_000, "1" * 1_000_000])
def test_odd_texts_take_no_time_and_no_room(text: str) -> None:
    """One endless line, or nothing but line breaks."""
    assert len(digest(text)) <= 16_000


def test_a_log_is_looked_for_by_its_first_error() -> None:
    """Another text by how it begins."""
    assert first_trouble("\n".join(_log(3_000, error_at=1_234)), 300).endswith("ERROR order 1234: no stock")
    assert first_trouble("\n[FIRING:1] api-7f9c restarts\n5 times", 20) == "[FIRING:1] api-7f9c"
    assert first_trouble("", 20) == ""


def test_a_long_line_is_cut_within() -> None:
    """Both ends of it stay, and the cut says how much."""
    short = digest('{"first": 1, ' + "x" * 50_000 + ' "last": 2}', 1_000)

    assert short.startswith('{"first": 1') and short.endswith('"last": 2}')
    assert "characters left out" in short
