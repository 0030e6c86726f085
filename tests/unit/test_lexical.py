"""Terms: exact tokens whole, parts stemmed, nothing hidden or split by invisible characters."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.lexical import bm25, content_terms, coverage, idf, is_stop_term, rarities, terms


@pytest.mark.parametrize(
    "token",
    [
        "api-7f9c",
        "err_conn_42",
        "prod-1234",
        "10.0.0.5:8080",
        "etc/nginx/nginx.conf",
        "v1.31.2",
        "ana@example.com",
        "checkout-api-7f9c8d6b5-x2x4z",
        "app.kubernetes.io/name",
    ],
)
def test_terms_keep_exact_tokens_whole_and_split(token: str) -> None:
    """A compound token is one term, and each of its parts is one, too."""
    found = terms(f"See {token.upper()}, please.")

    assert token in found
    assert set(terms(re.sub(r"\W|_", " ", token))) <= set(found)


def test_terms_find_a_path_with_and_without_its_slash() -> None:
    """The leading slash of a path does not matter."""
    assert terms("/etc/nginx/nginx.conf") == terms("etc/nginx/nginx.conf")


def test_terms_stem_english() -> None:
    """Forms of one word are one term."""
    assert terms("deploys deployed deploying") == ["deploy"] * 3


def test_terms_fold_case_and_compatibility_forms() -> None:
    """Capitals, wide letters and composed accents do not make another word."""
    assert terms("Prod") == terms("\uff50\uff52\uff4f\uff44") == ["prod"]
    assert terms("u\u0308bersicht") == terms("\u00dcbersicht")


@pytest.mark.parametrize("hidden", ["\u200b", "\u200d", "\ufeff", "\u00ad", "\x00", "\u202e", "\x07"])
def test_terms_ignore_what_nobody_sees(hidden: str) -> None:
    """An invisible character inside a word neither splits nor hides it."""
    assert terms(f"pass{hidden}word api{hidden}-7f9c") == terms("password api-7f9c")


@pytest.mark.parametrize("space", ["\n", "\t", "\u00a0", "\u2028", "\x85", "\x1f", "\r"])
def test_terms_end_at_any_white_space(space: str) -> None:
    """Every kind of white space separates words."""
    assert terms(f"red{space}blue") == ["red", "blue"]


def test_content_terms_leave_out_stop_words() -> None:
    """Stop words go, unless there is nothing else."""
    assert content_terms("what is the status of prod?") == ["status", "prod"]
    assert content_terms("who are you") == ["who", "are", "you"]
    assert is_stop_term("the")
    assert not is_stop_term("status")


@given(st.text(max_size=300))
def test_terms_are_whole_words(text: str) -> None:
    """No term is empty or holds white space, whatever the text, and the same text gives the same terms."""
    found = terms(text)

    assert all(term and not any(char.isspace() for char in term) for term in found)
    assert terms(text) == found


def test_terms_of_a_large_text_are_bounded() -> None:
    """100 kB without a space give no term longer than a word, and come back at all."""
    assert max(map(len, terms("a-" * 50_000 + "x" * 100_000))) <= 128


def test_bm25_prefers_the_rarer_word_and_the_shorter_text() -> None:
    """A rare term weighs more than a common one, and the same term more in a short text than in a long one."""
    frequency = {"prod": 900, "oomkil": 2}

    def score(document: list[str]) -> float:
        return bm25(rarities(["prod", "oomkil"], frequency, documents=1_000), document, average_length=4)

    assert score(["oomkil", "a", "b", "c"]) > score(["prod", "a", "b", "c"]) > score(["a", "b", "c", "d"]) == 0
    assert score(["oomkil", "a"]) > score(["oomkil", *"abcdefgh"])


def test_bm25_is_the_published_formula() -> None:
    """One term, once, in a text of average length scores exactly its idf."""
    assert bm25(rarities(["x"], {"x": 3}, documents=10), ["x", "y"], average_length=2) == pytest.approx(
        idf(3, documents=10)
    )


@given(st.integers(0, 50), st.integers(0, 50))
def test_idf_is_never_negative(containing: int, documents: int) -> None:
    """No statistics, however odd, make a shared word count against a text."""
    assert idf(containing, documents=documents) >= 0


def test_coverage_weighs_words_by_rarity() -> None:
    """Having the rare word of a question covers more of it than having the common one."""
    frequency = {"prod": 900, "oomkil": 2}

    def covered(document: list[str]) -> float:
        return coverage(rarities(["prod", "oomkil"], frequency, documents=1_000), document)

    assert covered(["prod", "oomkil"]) == pytest.approx(1.0)
    assert covered(["oomkil"]) > 0.5 > covered(["prod"])
    assert coverage({}, ["prod"]) == 0
