"""The people of the benchmark and their facts. Pure and repeatable.

Three people are measured; their 200 sentences are the same and are really embedded. Everybody else's sentences are real
as well, so that the full text has their words to sort out, but their vectors are a measured vector plus noise.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from memory.audience import everyone_in, private_to
from memory.model import Audience, ChannelId, MemoryKey, Person, Place, SessionId, Subject, TenantId, UserId, fact_key
from memory.model.recall import Vector

FACTS_EACH = 200
WARM, COLD, SHARED = 0, 1, 2
"""Numbers of the measured people. Nobody else's memories may be shown to the first two; to the third one they may."""
MEASURED = (WARM, COLD, SHARED)
LEAST = 4 * FACTS_EACH

_NOISE = 0.75  # of the length of a vector: leaves a cosine of 0.8 with where it started
_TEAM_FACT_EVERY = 4
_FIRST = ("amber", "basalt", "cedar", "delta", "ember", "fjord", "garnet", "harbor", "juniper", "kestrel")
_SECOND = ("billing", "catalog", "checkout", "gateway", "identity", "inventory", "ledger", "mailer", "orders", "search")
_THIRD = ("api", "edge", "worker", "cron")
_SERVICES = tuple("-".join(parts) for parts in product(_FIRST, _SECOND, _THIRD))
_FORMS = (
    ("The {service} service runs in {value}.", "In which region does the {service} service run now?", "region"),
    ("Deploys of {service} go through {value}.", "How do deploys of {service} go out these days?", "tool"),
    ("On call for {service} is the {value} team.", "Which team is on call for {service} tonight?", "team"),
    ("The {service} database is {value}.", "What database does {service} use for its data?", "database"),
    ("Logs of {service} are kept for {value} days.", "How many days are logs of {service} kept?", "days"),
    ("Rolling back {service} takes {value} minutes.", "How many minutes does rolling back {service} take?", "days"),
    ("{service} listens on port {value}.", "Which port does {service} listen on inside the cluster?", "port"),
    ("Alerts of {service} go to the channel {value}.", "Where do alerts of {service} go, which channel?", "team"),
    ("The memory limit of {service} pods is {value} Mi.", "What is the memory limit of {service} pods?", "port"),
    ("The release window of {service} is {value}.", "When is the release window of {service} open?", "window"),
)
_VALUES = {
    "region": ("eu-west-1", "eu-central-1", "us-east-1", "us-west-2", "ap-south-1"),
    "tool": ("ArgoCD", "Flux", "Spinnaker", "a Jenkins job", "GitHub Actions"),
    "team": ("platform", "storefront", "payments", "data", "edge", "mobile", "search"),
    "database": ("PostgreSQL 16", "MySQL 8.4", "DynamoDB", "CockroachDB", "MongoDB 7"),
    "days": ("3", "7", "14", "30", "45", "90"),
    "port": ("512", "768", "1024", "2048", "3000", "4096", "8080", "9090"),
    "window": ("Monday morning", "Tuesday after ten", "Wednesday noon", "Thursday before four"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFact:
    """One fact of the population: the `number`th of its owner."""

    fact_id: int
    owner: int
    number: int
    text: str
    subject: Subject
    audience: Audience

    @property
    def key(self) -> MemoryKey:
        """What its vector and its full-text entry are called."""
        return fact_key(self.fact_id)


class Population:
    """`size` facts, FACTS_EACH a person, said in turn, so that one person's are spread over all files."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.people = size // FACTS_EACH

    def person(self, owner: int) -> Person:
        """Return a person."""
        return Person(user_id=UserId(f"{self.tenant(owner)}:u{owner}"), name=f"user {owner}")

    def tenant(self, owner: int) -> TenantId:
        """Return a person's tenant: one where everything is private, or one of three where a quarter is not."""
        number = 0 if owner in (WARM, COLD) else 1 if owner == SHARED else owner % 4
        return TenantId(f"bench{self.size}:t{number}")

    def place(self, owner: int, thread: str) -> Place:
        """Return a thread of a person's DM."""
        user_id = self.person(owner).user_id
        return Place(
            session_id=SessionId(f"{user_id}:dm:{thread}"),
            channel_id=ChannelId(f"{user_id}:dm"),
            tenant_id=self.tenant(owner),
            audience=private_to(user_id),
            shared=False,
        )

    def facts(self) -> Iterator[KnownFact]:
        """Yield all facts in the order they were said."""
        for row in range(self.people * FACTS_EACH):
            number, owner = divmod(row, self.people)
            yield self._fact(row + 1, owner, number)

    def asked_key(self, owner: int, number: int) -> MemoryKey:
        """Return the key of the fact that `question(number)` asks a measured person for."""
        return fact_key(number * self.people + owner + 1)

    def _fact(self, fact_id: int, owner: int, number: int) -> KnownFact:
        tenant = self.tenant(owner)
        open_tenant = not tenant.endswith(":t0") and owner not in MEASURED
        of_team = open_tenant and number % _TEAM_FACT_EVERY == 0
        return KnownFact(
            fact_id=fact_id,
            owner=owner,
            number=number,
            text=sentence(owner, number),
            subject="team" if of_team else "person",
            audience=everyone_in(tenant) if of_team else private_to(self.person(owner).user_id),
        )


def sentence(owner: int, number: int) -> str:
    """Return a person's `number`th fact; the measured people all say the same."""
    statement, _, values = _form(number)
    chosen = _VALUES[values]
    return statement.format(service=_service(owner, number), value=chosen[(owner + 3 * number) % len(chosen)])


def question(number: int) -> str:
    """Return what a measured person asks to hear their `number`th fact again."""
    return _form(number)[1].format(service=_service(WARM, number))


def measured_sentences() -> list[str]:
    """Return the facts of a measured person, in order."""
    return [sentence(WARM, number) for number in range(FACTS_EACH)]


def vectors_of(facts: list[KnownFact], measured: npt.NDArray[np.float32]) -> list[Vector]:
    """Return the facts' vectors: `measured`, of shape (FACTS_EACH, D), for the measured people; else with noise."""
    chosen = measured[[fact.number for fact in facts]]
    random = np.random.default_rng(facts[0].fact_id)
    noise = random.standard_normal(chosen.shape, dtype=np.float32) * np.float32(_NOISE / chosen.shape[1] ** 0.5)
    noise[[fact.owner in MEASURED for fact in facts]] = 0
    noisy = chosen + noise
    return list(noisy / np.linalg.norm(noisy, axis=1, keepdims=True))


def _form(number: int) -> tuple[str, str, str]:
    return _FORMS[number % len(_FORMS)]


def _service(owner: int, number: int) -> str:
    first = 0 if owner in MEASURED else owner * 7
    return _SERVICES[(first + 41 * (number // len(_FORMS))) % len(_SERVICES)]
