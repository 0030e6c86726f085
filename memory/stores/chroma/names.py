"""How collections and vectors are called inside Chroma. Pure."""

import hashlib
import re

from memory.model import MemoryKey, VectorRef
from memory.model.ids import KeyKind

KINDS: tuple[KeyKind, ...] = ("fact", "turn", "episode")
PREFIX = "recall-"
_SLUG_CHARS = 40


def collection_names(model_name: str, dimensions: int) -> dict[KeyKind, str]:
    """Return the collections of one embedding model; another model or size never shares one."""
    slug = re.sub(r"[^a-z0-9]+", "-", model_name.lower()).strip("-")[-_SLUG_CHARS:].strip("-")
    digest = hashlib.blake2b(f"{model_name}\x00{dimensions}".encode(errors="surrogatepass"), digest_size=6).hexdigest()
    return {kind: "-".join(part for part in (f"{PREFIX}{kind}s", slug, digest) if part) for kind in KINDS}


def record_id(ref: VectorRef) -> str:
    """Return the id of a vector. Injective: a key has no slash, so the last one is always ours."""
    return f"{ref.owner}/{ref.key}"


def key_of(record: str) -> MemoryKey:
    """Return the key that `record_id` put into an id."""
    return MemoryKey(record.rpartition("/")[2])
