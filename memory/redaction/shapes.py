"""Secrets that are known by their own shape, wherever they stand. Pure.

Every pattern is linear: it starts at a literal or behind a boundary, and its repeats are possessive or bounded.
"""

import re
from collections import Counter
from dataclasses import dataclass

from detect_secrets.plugins.artifactory import ArtifactoryDetector
from detect_secrets.plugins.aws import AWSKeyDetector
from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
from detect_secrets.plugins.mailchimp import MailchimpDetector
from detect_secrets.plugins.sendgrid import SendGridDetector
from detect_secrets.plugins.square_oauth import SquareOAuthDetector
from detect_secrets.plugins.telegram_token import TelegramBotTokenDetector
from detect_secrets.plugins.twilio import TwilioKeyDetector

from memory.redaction.marks import mark


@dataclass(frozen=True, slots=True)
class _Shape:
    """One kind of secret.

    Attributes:
        needles: The pattern is tried only when one of these is in the text; empty for always.
        pattern: What is replaced: its group "secret", or all of it.
    """

    kind: str
    needles: tuple[str, ...]
    pattern: re.Pattern[str]


def _shape(kind: str, needles: str, pattern: str, *, edge: str = r"(?<![A-Za-z0-9])") -> _Shape:
    return _Shape(kind, tuple(needles.split()), re.compile(edge + f"(?:{pattern})"))


def _from_library(kind: str, needles: str, detector: type, index: int = 0) -> _Shape:
    """Take a detector's own pattern, held to whole words: inside a longer blob it is chance."""
    inner = detector.denylist[index].pattern  # type: ignore[attr-defined]  # the library is untyped
    return _shape(kind, needles, inner + r")(?:(?![A-Za-z0-9])")


_SHAPES = (
    _Shape(
        "aws secret key",
        ("AKIA", "ASIA"),
        re.compile(
            r"(?<![A-Za-z0-9])A[KS]IA[0-9A-Z]{16}(?![A-Za-z0-9])[^A-Za-z0-9/+]{1,10}"
            r"(?:[A-Za-z][A-Za-z_ ]{0,40}[^A-Za-z0-9/+]{1,10})?(?P<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])"
        ),
    ),
    _from_library("aws access key", "AKIA ASIA ABIA ACCA A3T", AWSKeyDetector),
    _shape("github token", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_[A-Za-z0-9_]{36,}+"),
    _shape("github token", "github_pat_", r"github_pat_[A-Za-z0-9_]{22,}+"),
    _shape(
        "gitlab token",
        "glpat- gldt- glft- glsoat- glrt- glcbt- glimt- glptt- glagent- gloas-",
        r"gl(?:pat|dt|ft|soat|rt|cbt|imt|ptt|agent|oas)-[A-Za-z0-9_-]{20,}+(?:\.[0-9a-z]{2}\.?[0-9a-z]{7}(?![0-9a-z]))?",
    ),
    _shape("gitlab token", "GR1348941", r"GR1348941[A-Za-z0-9_-]{20,}+"),
    _shape("slack token", "xox", r"xox[a-z](?:\.xox[a-z])?-(?=[A-Za-z-]{0,200}[0-9])[A-Za-z0-9-]{10,}+"),
    _shape("slack token", "xapp-", r"xapp-(?=[A-Za-z-]{0,200}[0-9])[A-Za-z0-9-]{10,}+"),
    _shape(
        "slack webhook", "hooks.slack.com/", r"https?://hooks\.slack\.com/(?:services|workflows|triggers)/T[\w/-]{12,}+"
    ),
    _shape("discord token", ".", r"[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}+"),
    _shape(
        "discord webhook",
        "/api/webhooks/",
        r"https?://(?:[a-z]{1,10}\.)?discord(?:app)?\.com/api/(?:v\d{1,2}/)?webhooks/\d{5,25}/[\w-]{20,}+",
    ),
    _shape("anthropic key", "sk-ant-", r"sk-ant-[A-Za-z0-9_-]{16,}+"),
    _shape("openai key", "sk-", r"sk-(?:(?:proj|svcacct|admin|None|or-v1)-[A-Za-z0-9_-]{20,}+|[A-Za-z0-9]{32,}+)"),
    _shape("openai key", "T3BlbkFJ", r"sk-[A-Za-z0-9_-]{0,200}?T3BlbkFJ[A-Za-z0-9_-]{20,}+"),
    _shape("google key", "AIza", r"AIza[0-9A-Za-z_-]{35,}+"),
    _shape("google token", "ya29. GOCSPX-", r"(?:ya29\.[0-9A-Za-z_-]{20,}+|GOCSPX-[0-9A-Za-z_-]{20,}+)"),
    _shape("stripe key", "k_live_ k_test_", r"[srp]k_(?:live|test)_[0-9a-zA-Z]{16,}+"),
    _shape("stripe webhook secret", "whsec_", r"whsec_[0-9a-zA-Z+/=]{24,}+"),
    _shape("npm token", "npm_", r"npm_[A-Za-z0-9]{36,}+"),
    _shape("pypi token", "pypi-", r"pypi-AgE[A-Za-z0-9_-]{40,}+"),
    _shape("hugging face token", "hf_", r"hf_[A-Za-z0-9]{34,}+"),
    _shape("digitalocean token", "_v1_", r"do[opr]_v1_[a-f0-9]{64}"),
    _shape("vault token", "hvs. hvb. hvr.", r"hv[sbr]\.[A-Za-z0-9_-]{24,}+"),
    _shape("terraform token", ".atlasv1.", r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,}+"),
    _shape("grafana token", "glsa_ glc_", r"(?:glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}|glc_[A-Za-z0-9+/=]{32,}+)"),
    _shape("docker token", "dckr_", r"dckr_[a-z]{3,4}_[A-Za-z0-9_-]{27,}+"),
    _shape("databricks token", "dapi", r"dapi[a-f0-9]{32}(?:-\d)?"),
    _shape("age key", "AGE-SECRET-KEY-1", r"AGE-SECRET-KEY-1[0-9A-Z]{58}"),
    _shape("new relic key", "NRAK-", r"NRAK-[A-Z0-9]{27}"),
    _shape(
        "jwt",
        "eyJ",
        r"eyJ[A-Za-z0-9_-]{8,}+(?:\.eyJ[A-Za-z0-9_-]{8,}+(?:\.[A-Za-z0-9_-]++)?|(?:\.[A-Za-z0-9_-]*+){4})=*+",
        edge=r"(?<![A-Za-z0-9_-])",
    ),
    _from_library("azure storage key", "AccountKey=", AzureStorageKeyDetector),
    _from_library("sendgrid key", "SG.", SendGridDetector),
    _from_library("square secret", "sq0csp-", SquareOAuthDetector),
    _from_library("mailchimp key", "-us", MailchimpDetector),
    _from_library("telegram token", ":", TelegramBotTokenDetector),
    _from_library("twilio key", "AC SK", TwilioKeyDetector, 1),
    _from_library("artifactory token", "AKC", ArtifactoryDetector),
)


def redact_shapes(text: str, found: Counter[str]) -> str:
    """Replace secrets of known shapes."""
    for shape in _SHAPES:
        if any(needle in text for needle in shape.needles):
            text = _replace(shape, text, found)
    return text


def _replace(shape: _Shape, text: str, found: Counter[str]) -> str:
    group = "secret" if "secret" in shape.pattern.groupindex else 0

    def put_mark(match: re.Match[str]) -> str:
        whole, (start, end) = match[0], match.span(group)
        return whole[: start - match.start()] + mark(shape.kind, found) + whole[end - match.start() :]

    return shape.pattern.sub(put_mark, text)
