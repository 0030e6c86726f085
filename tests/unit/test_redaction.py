"""Secrets go, everything else stays."""

import base64
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.redaction import redact

_ALNUM = string.ascii_letters + string.digits
_HEX = "0123456789abcdef"


def _chars(alphabet: str, size: int, most: int | None = None) -> st.SearchStrategy[str]:
    return st.text(alphabet=alphabet, min_size=size, max_size=most or size)


def _random_chars(alphabet: str, size: int) -> st.SearchStrategy[str]:
    """Text as a generator of secrets makes it: of both cases and digits, without long repeats."""
    return st.permutations(alphabet).map(lambda mixed: "aB3" + "".join(mixed)[: size - 3])


_TOKENS: dict[str, st.SearchStrategy[str]] = {
    "aws access key": _chars(string.ascii_uppercase + string.digits, 16).map("AKIA".__add__),
    "github token": st.one_of(
        _chars(_ALNUM, 36, 60).map("ghp_".__add__),
        _chars(_ALNUM, 36).map("gho_".__add__),
        _chars(_ALNUM + "_", 60, 82).map("github_pat_".__add__),
    ),
    "gitlab token": _chars(_ALNUM + "-_", 20, 50).map("glpat-".__add__),
    "slack token": st.one_of(
        st.tuples(_chars(string.digits, 11), _chars(string.digits, 12), _chars(_ALNUM, 24)).map(
            lambda parts: "xoxb-" + "-".join(parts)
        ),
        st.tuples(_chars(string.digits, 11), _chars(_HEX, 64)).map(lambda parts: "xapp-1-A012-" + "-".join(parts)),
    ),
    "slack webhook": _chars(_ALNUM, 24).map("https://hooks.slack.com/services/T024BE7LD/B024BE7LE/".__add__),
    "discord token": st.tuples(_chars(_ALNUM, 23), _chars(_ALNUM + "-_", 6), _chars(_ALNUM + "-_", 27, 38)).map(
        lambda parts: "M" + ".".join(parts)
    ),
    "anthropic key": _chars(_ALNUM + "-_", 40, 100).map("sk-ant-api03-".__add__),
    "openai key": st.one_of(_chars(_ALNUM, 48).map("sk-".__add__), _chars(_ALNUM + "-_", 40).map("sk-proj-".__add__)),
    "google key": _chars(_ALNUM + "-_", 35).map("AIza".__add__),
    "stripe key": _chars(_ALNUM, 24, 99).map("sk_live_".__add__),
    "npm token": _chars(_ALNUM, 36).map("npm_".__add__),
    "pypi token": _chars(_ALNUM + "-_", 70, 120).map("pypi-AgEIcHlwaS5vcmc".__add__),
    "sendgrid key": st.tuples(_chars(_ALNUM, 22), _chars(_ALNUM, 43)).map(lambda parts: "SG." + ".".join(parts)),
    "jwt": st.tuples(_chars(_ALNUM + "-_", 20, 60), _chars(_ALNUM + "-_", 20, 90), _chars(_ALNUM + "-_", 43)).map(
        lambda parts: f"eyJ{parts[0]}.eyJ{parts[1]}.{parts[2]}"
    ),
}
_AROUND = st.text(alphabet="abc ,;:()\n\"'`=", max_size=30)
_GENERATED = st.sampled_from(sorted(_TOKENS)).flatmap(lambda kind: _TOKENS[kind])
_FRAMES = [
    "password={}",
    'DB_PASSWORD: "{}"',
    "export API_KEY={}",
    '{{"client_secret": "{}"}}',
    "--token {}",
    "--set db.password={}",
    "aws_secret_access_key = {}",
    "the password is {}",
    "postgres://app:{}@db.internal:5432/prod",
    "Authorization: Bearer {}",
    "- name: DB_PASSWORD\n  value: {}",
    "curl -u admin:{} https://example.com",
    "<password>{}</password>",
    "secret: '{}'",
]

HARMLESS = """the password policy is 90 days
token expired
password: required
password: <password>
TOKEN=${TOKEN}
password=changeme
PASSWORD=xxxxxxxx
commit 9fcfe6a0d1e2f3a4b5c6d7e8f9a0b1c2d3e4f5a6
image: nginx@sha256:1f3c2a4b5d6e7f8091a2b3c4d5e6f7081f3c2a4b5d6e7f8091a2b3c4d5e6f708
pod api-7f9c8d6b5-x2x4z restarted
secret: api-tls-7f9c
secretName: my-tls-cert-2024
secretKeyRef: {name: db, key: password}
max_tokens: 4096
token_ttl: 3600
tokens=1000000
kubectl create secret generic db --from-literal=password=$PW
vault kv get secret/data/app/prod
password is case-sensitive and expires in 90 days
use the token from us-east-1
access key rotation every 90 days
token: default-token-abc12
password = os.environ["DB_PASSWORD"]
password=settings.db_password
passwordFile: /run/secrets/db_password
the secret is in vault at secret/prod/api
API key: see 1Password
token service version: v1.31.2
token is base64-encoded
the password was changed on 2026-03-01
http://host:8080/path?x=a@b
git@github.com:org/repo.git
ssh://git@host:22/repo
credentials: inherit
Authorization: required
bearer authentication is used everywhere
docker run -u 1000:1000 -p 8080:80 nginx
kubectl -n prod get secret app-secret-v2 -o yaml
uuid 123e4567-e89b-12d3-a456-426614174000
SECRET_NAME=prod-db-credentials-v2
secret_manager: aws-secretsmanager
TOKEN_URL=https://auth.example.com/oauth2/token
password authentication failed for user "app_1"
secret "db-creds-9f8e7" not found
tokenizer: all-MiniLM-L6-v2
sk-worker-deployment-7d9f8b6c5-x2x4z
psql -h localhost -p 5432
ConfigMap app-config-7f9c8 mounted
pass=10 fail=2
checksum: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
password: ${DB_PASSWORD:-default1}
token: {{ .Values.token }}
password: !Ref DbPassword2
private key at /etc/ssl/private/key1.pem
private_key: ./certs/server1.key
secret=projects/123/secrets/db/versions/2
arn:aws:iam::123456789012:role/deploy-2024
kind: Secret
-----BEGIN CERTIFICATE-----
the file starts with -----BEGIN PRIVATE KEY----- and ends with -----END PRIVATE KEY-----
eks-prod-1.eu-west-1.elb.amazonaws.com:443 returned 503
trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7
etag "33a64df551425fcc55e4d42a148795d9f25f89d4"
postgres://user:password@localhost/db
curl -H "Authorization: Bearer $TOKEN" https://api.example.com
xoxb-your-token-here""".splitlines()

_CERTAIN = {
    "password=hunter2": "password=[redacted: password]",
    "the db password: Tr0ub4dor&3, ok": "the db password: [redacted: password], ok",
    "redis://:p%40ss@cache:6379/0": "redis://:[redacted: password in url]@cache:6379/0",
    "mongodb+srv://u:pa$$w0rd1@c0.mongodb.net/x?y=a@b": (
        "mongodb+srv://u:[redacted: password in url]@c0.mongodb.net/x?y=a@b"
    ),
    "Authorization: Basic dXNlcjpwYXNz": "Authorization: Basic [redacted: authorization header]",
    "client-key-data: LS0tLS1CRUdJTiBSU0E=": "client-key-data: [redacted: kubeconfig key]",
    "mysql -u root -pS3cret db": "mysql -u root -p[redacted: password] db",
    "CONSUL_HTTP_TOKEN=123e4567-e89b-12d3-a456-426614174000": "CONSUL_HTTP_TOKEN=[redacted: token]",
    "https://x/?access_token=abcDEF123456&x=1": "https://x/?access_token=[redacted: token]&x=1",
    '{\\"password\\":\\"hunter22\\"}': '{\\"password\\":\\"[redacted: password]\\"}',
    "token: token=abcd1234EFGH": "token: token=[redacted: token]",
    "AKIAIOSFODNN7EXAMPLE,wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY": (
        "[redacted: aws access key],[redacted: aws secret key]"
    ),
}


@given(_GENERATED, _AROUND, _AROUND)
def test_redact_leaves_no_trace_of_a_token(token: str, before: str, after: str) -> None:
    """A token of any known shape disappears from any text, and what stands around it stays."""
    redacted = redact(f"{before} {token} {after}")

    assert token not in redacted.text
    assert token[-12:] not in redacted.text
    assert sum(redacted.findings.values()) >= 1
    assert redacted.text.startswith(before)
    assert redacted.text.endswith(after)


@pytest.mark.parametrize("kind", sorted(_TOKENS))
def test_redact_names_the_kind(kind: str) -> None:
    """The mark and the count say what kind of secret it was."""

    @given(_TOKENS[kind])
    def check(token: str) -> None:
        redacted = redact(f"see {token} there")

        assert redacted.text == f"see [redacted: {kind}] there"
        assert redacted.findings == {kind: 1}

    check()


@pytest.mark.parametrize("frame", _FRAMES)
def test_redact_finds_a_value_by_its_name(frame: str) -> None:
    """A random value beside a telling name disappears, in every way that names stand beside values."""

    @given(st.one_of(_random_chars(_ALNUM, 20), _random_chars(_ALNUM, 40), _random_chars(_ALNUM + "-_+", 32)))
    def check(value: str) -> None:
        redacted = redact(frame.format(value))

        assert value not in redacted.text
        assert value[-8:] not in redacted.text
        assert len(redacted.findings) == 1

    check()


@pytest.mark.parametrize(("text", "expected"), _CERTAIN.items())
def test_redact_replaces_the_value_alone(text: str, expected: str) -> None:
    """Only the secret itself is replaced: host, user, quotes and punctuation around it stay."""
    assert redact(text).text == expected


@pytest.mark.parametrize("line", HARMLESS)
def test_redact_leaves_harmless_lines_alone(line: str) -> None:
    """Talk of passwords, hashes, ids, pod names, placeholders and references is no finding."""
    redacted = redact(line)

    assert redacted.text == line
    assert redacted.findings == {}


def test_redact_finds_nothing_in_the_harmless_lines_together() -> None:
    """The same lines in one text are no finding either."""
    lines = [line for line in HARMLESS if "kind: Secret" not in line]

    assert redact("\n".join(lines)).findings == {}


def test_redact_takes_whole_private_keys() -> None:
    """A key block goes from its first to its last line, in several lines or escaped into one."""
    body = "\n".join(["MIIEpAIBAAKCAQEA75abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH/+"] * 5)
    block = f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----"

    assert redact(f"see\n{block}\nbye").text == "see\n[redacted: private key]\nbye"
    assert redact('"' + block.replace("\n", "\\n") + '"').text == '"[redacted: private key]"'
    assert redact(f"{block}\nand\n{block}").findings == {"private key": 2}


def test_redact_takes_a_private_key_that_was_cut_off() -> None:
    """Without its last line a key goes as far as it looks like one; the sentence after it stays."""
    text = "-----BEGIN PRIVATE KEY-----\nMIIEpAIBAAKCAQEA75abcd\nMIIEpAIBAAKCAQEA75\nHello there"

    assert redact(text).text == "[redacted: private key]\nHello there"


def test_redact_takes_the_values_of_a_kubernetes_secret() -> None:
    """Every value of a Secret goes, wherever its kind stands; a ConfigMap beside it stays."""
    text = (
        "apiVersion: v1\ndata:\n  user: YWRtaW4=\n  cfg: |\n    a: b\n    c: d\nkind: Secret\nmetadata:\n  name: db\n"
        "---\nkind: ConfigMap\ndata:\n  LOG_LEVEL: debug\n"
    )

    assert redact(text).text == (
        "apiVersion: v1\ndata:\n  user: [redacted: kubernetes secret]\n  cfg: [redacted: kubernetes secret]\n"
        "kind: Secret\nmetadata:\n  name: db\n---\nkind: ConfigMap\ndata:\n  LOG_LEVEL: debug\n"
    )


def test_redact_takes_the_values_of_a_json_secret() -> None:
    """The same manifest as JSON loses its values, too."""
    text = '{"data":{"a":"Zm9v","b":"YmFy"},"kind":"Secret"}'

    assert redact(text).findings == {"kubernetes secret": 2}
    assert "Zm9v" not in redact(text).text


@given(st.text(), st.lists(_GENERATED, max_size=3), st.sampled_from([*_FRAMES, *HARMLESS]))
def test_redact_is_idempotent(text: str, tokens: list[str], frame: str) -> None:
    """Redacting what was redacted changes nothing and finds nothing."""
    once = redact("\n".join([text, frame.replace("{}", "aB3xK9mQ2pL7"), *tokens]))
    twice = redact(once.text)

    assert twice.text == once.text
    assert twice.findings == {}


@given(st.text(alphabet="abcxyz -.,:=/'\"\n\u200b\x00é漢{}[]<>$", max_size=200))
def test_redact_never_raises(text: str) -> None:
    """Any text comes back."""
    assert isinstance(redact(text).text, str)


@pytest.mark.parametrize(
    "unit",
    [
        "-----BEGIN PRIVATE KEY-----",
        "password=",
        "token:",
        "://a:",
        "eyJ",
        "sk-",
        "xoxb-",
        "a.b.",
        '"data": {',
        "secret is ",
    ],
)
def test_redact_returns_from_texts_made_to_be_slow(unit: str) -> None:
    """Repeating what a pattern begins with does not blow up: 100 kB come back (a quadratic rule would take minutes)."""
    text = (unit * 100_000)[:100_000]

    assert redact(text).findings is not None


def test_redact_finds_encoded_secrets_by_name() -> None:
    """A base64 value beside a token's name is a secret, whatever it encodes."""
    value = base64.b64encode(bytes(range(40, 70))).decode()

    assert redact(f"session_token: {value}").text == "session_token: [redacted: token]"
