"""Which shared files may be text, by what is said of them. Pure; knows no platform, and reads nothing."""

_TEXT_TYPES = frozenset(
    ("application/json", "application/x-ndjson", "application/yaml", "application/x-yaml", "application/toml",
     "application/xml", "application/sql", "application/x-sh", "application/javascript", "application/x-httpd-php",
     "application/x-javascript", "application/graphql", "application/x-pem-file", "message/rfc822", "")
)  # fmt: skip
_UNKNOWN_TYPES = frozenset(("application/octet-stream", "binary/octet-stream", "application/x-binary"))
_TEXT_ENDINGS = frozenset(
    ("log", "txt", "text", "out", "err", "json", "jsonl", "ndjson", "yaml", "yml", "toml", "ini", "cfg", "conf",
     "config", "env", "properties", "tf", "tfvars", "hcl", "plan", "diff", "patch", "md", "rst", "csv", "tsv", "xml",
     "sql", "sh", "bash", "zsh", "fish", "ps1", "bat", "py", "go", "js", "ts", "rb", "rs", "java", "kt", "c", "h",
     "cpp", "cs", "php", "lua", "pl", "service", "dockerfile", "makefile", "gradle", "trace", "stacktrace")
)  # fmt: skip


def may_be_text(name: str, mimetype: str, *, kind: str = "") -> bool:
    """Whether a file's types speak for text; its bytes decide later.

    Args:
        name: The file's.
        mimetype: Without parameters, in lower case; "" when it is not known.
        kind: The platform's own word for what it is, such as "yaml".
    """
    if mimetype.startswith("text/") or mimetype in _TEXT_TYPES:
        return True
    ending = name.casefold().rpartition(".")[2]
    return mimetype in _UNKNOWN_TYPES and not {ending, kind.casefold()}.isdisjoint(_TEXT_ENDINGS)
