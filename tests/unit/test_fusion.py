"""Fusion: what bears on a question, and in which order."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from memory.fusion import WEIGHTS, Candidate, bm25_scores, fuse, without_echoes
from memory.lexical import terms
from memory.model import LexicalHit, LexicalResult, MemoryKey, MessageId, Recallable, Recalled, SessionId, UserId

_NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


def _candidate(text: str, similarity: float | None, *, age_days: float = 10, confirmations: int = 0) -> Candidate:
    memory = Recallable(
        key=MemoryKey(f"f{abs(hash(text))}"),
        kind="fact",
        owner=UserId("ana"),
        number=1,
        text=text,
        author="Ana",
        said_at=_NOW - timedelta(days=age_days),
        session_id=SessionId("s"),
        thread="t",
        confirmations=confirmations,
    )
    return Candidate(memory=memory, terms=tuple(terms(text)), similarity=similarity)


def _index(candidates: Sequence[Candidate], documents: int = 500) -> LexicalResult:
    hits = tuple(LexicalHit(key=one.memory.key, terms=one.terms) for one in candidates)
    frequency = {term: 3 for one in candidates for term in one.terms}
    return LexicalResult(hits=hits, document_frequency=frequency, documents=documents)


def _order(question: str, *candidates: Candidate) -> list[str]:
    return [one.memory.text for one in fuse(question, candidates, _index(candidates), now=_NOW)]


def test_identical_text_comes_first() -> None:
    """The same words lead, whatever else is near, whatever the spacing and case."""
    order = _order(
        "prod is EKS", _candidate("EKS prod EKS prod is EKS", 0.99), _candidate("Prod  is eks", 0.2, age_days=900)
    )

    assert order[0] == "Prod  is eks"


def test_both_kinds_of_nearness_count() -> None:
    """What is near in meaning and in words leads what is near in one of them."""
    order = _order(
        "why was checkout-api killed",
        _candidate("the payment pods ran out of memory", 0.45),
        _candidate("checkout-api was killed by its memory limit", 0.45),
        _candidate("checkout-api belongs to team blue", 0.1),
    )

    assert order == [
        "checkout-api was killed by its memory limit",
        "checkout-api belongs to team blue",
        "the payment pods ran out of memory",
    ]


def test_small_talk_recalls_nothing() -> None:
    """Neither a far meaning nor stop words nor one word by chance recall a memory."""
    far = _candidate("Works in Berlin.", 0.22)

    assert _order("who are you", _candidate("Who are you again, and what do you do here?", 0.2)) == []
    assert _order("good morning", far) == []
    assert fuse("that worked", [far], _index([far], documents=24), now=_NOW) == []


def test_a_rare_word_is_enough() -> None:
    """An exact id recalls its memory even when the embedding sees nothing in it."""
    assert _order("what was ERR_CONN_42", _candidate("ERR_CONN_42 came from CoreDNS", 0.05)) == [
        "ERR_CONN_42 came from CoreDNS"
    ]


def test_a_memory_without_a_vector_is_found_by_its_words() -> None:
    """While the index is away, words alone decide, and one that shares none is not recalled."""
    assert _order("where is staging", _candidate("Staging runs on GKE.", None), _candidate("Uses Helm.", None)) == [
        "Staging runs on GKE."
    ]


def test_recency_and_confirmation_break_ties_only() -> None:
    """Of equals the newer and the confirmed one lead; a clearly nearer one still leads both."""
    old, new = _candidate("prod is in Dublin", 0.5, age_days=300), _candidate("prod is in Zurich", 0.5, age_days=1)
    confirmed = _candidate("prod is in Geneva", 0.5, age_days=300, confirmations=3)
    nearer = _candidate("prod is in Vienna", 0.56, age_days=3_000)

    assert _order("prod is where", old, new)[0] == "prod is in Zurich"
    assert _order("prod is where", old, confirmed)[0] == "prod is in Geneva"
    assert _order("prod is where", new, confirmed, nearer)[0] == "prod is in Vienna"
    assert WEIGHTS.recency + WEIGHTS.confirmation <= 0.05


def test_bm25_scores_leave_out_what_shares_no_word() -> None:
    """Only hits that share a term have a score."""
    hit, miss = _candidate("prod is EKS", None), _candidate("uses Helm", None)

    assert set(bm25_scores(["prod"], _index([hit, miss]))) == {hit.memory.key}


@given(
    st.text(alphabet="abc ", max_size=20),
    st.lists(
        st.tuples(st.text(alphabet="abc ", max_size=20), st.one_of(st.none(), st.floats(-1, 1))),
        max_size=6,
        unique_by=lambda one: one[0],
    ),
)
def test_order_does_not_hang_on_the_input_order(question: str, drawn: list[tuple[str, float | None]]) -> None:
    """The same candidates in any order give the same result, highest score first after the identical text."""
    candidates = [_candidate(text, similarity) for text, similarity in drawn]
    found = _index(candidates)
    ranked = fuse(question, candidates, found, now=_NOW)
    scores = [one.score for one in ranked if one.memory.text.split() != question.split()]

    assert [one.memory.key for one in ranked] == [
        one.memory.key for one in fuse(question, candidates[::-1], found, now=_NOW)
    ]
    assert scores == sorted(scores, reverse=True)


def test_without_echoes_drops_a_turn_that_its_fact_repeats() -> None:
    """A turn goes when a fact learned from it says as much, and stays when it says more."""
    fact = Recallable(
        key=MemoryKey("f1"),
        kind="fact",
        owner=UserId("ana"),
        number=1,
        text="Deploys with ArgoCD from main.",
        author="Ana",
        said_at=_NOW,
        session_id=SessionId("s"),
        thread="t",
        sources=(MessageId(1), MessageId(2)),
    )

    def turn(number: int, text: str) -> Recalled:
        memory = Recallable(
            key=MemoryKey(f"m{number}.1"),
            kind="turn",
            owner=UserId("ana"),
            number=None,
            text=text,
            author="Ana",
            said_at=_NOW,
            session_id=SessionId("s"),
            thread="t",
            sources=(MessageId(number),),
        )
        return Recalled(memory=memory, similarity=0.5, score=0.5)

    more = turn(2, "I deploy with ArgoCD from main, after the nightly database migration has finished everywhere")
    ranked = [Recalled(memory=fact, similarity=0.6, score=0.6), turn(1, "I deploy with ArgoCD from main"), more]

    assert [one.memory.key for one in without_echoes(ranked)] == ["f1", "m2.1"]
