"""The forms that a lasting statement takes in plain English, as data: each one a pattern with the `value` it gives."""

import re
from dataclasses import dataclass

from memory.model import FactKind, Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One form.

    Attributes:
        pattern: Matches a sentence from its beginning; the group `value` is what is said of the rest.
        single: The rest can have one value only: another one takes its place.
    """

    pattern: re.Pattern[str]
    subject: Subject
    kind: FactKind
    single: bool


def _any(*words: str) -> str:
    return f"(?:{'|'.join(words)})"


def _words(text: str) -> str:
    """Return a pattern for one of the words in `text`; `_` stands for a space."""
    return _any(*(word.replace("_", " ") for word in text.split()))


def _form(pattern: str, subject: Subject, kind: FactKind, *, single: bool = False) -> Form:
    return Form(pattern=re.compile(pattern, re.IGNORECASE), subject=subject, kind=kind, single=single)


NEUTRAL_ADVERBS = "also still now currently already just recently finally really"
"""Adverbs that leave what is said the same."""
_ADVERBS = _words(f"{NEUTRAL_ADVERBS} always usually generally normally mostly strongly only both all never")
_ADVERB = f"(?:{_ADVERBS} )*"
_WHAT = r"(?:[^\s,]+ ){0,6}?[^\s,]+"
_THING = rf"(?!{_words('I we my he she they it you')}\b){_WHAT}"
_VALUE = r" (?P<value>\S.*)$"
_IS = f"(?:is|are)(?: {_ADVERBS})*(?: (?:called|named))?"
_PLACED = f"(?:is|are) {_ADVERB}{_words('in on at behind under')}"
_VIA = _words("in on at by with via from to every")
_DOES = _any(
    _words("runs?_on runs? uses? has have listens?_on points?_to requires? needs? belongs?_to starts?_at ends?_at"),
    _words("happens? sits?_in goes?_to expires?"),
    f"lives? {_words('in on at')}",
    f"deploys? {_words('with from to via')}",
    f"{_words('is are')} {_words('deployed hosted managed owned stored built monitored backed_up rotated run')} {_VIA}",
)
_PERSON_LIKES = _any(
    _words("prefer like love hate dislike favou?r avoid can't_stand"),
    f"rather {_words('use have see')}",
    f"(?:don't|do not) {_words('like want use')}",
    r"want (?=(?:my |your |all )?(?:short |brief )?(?:answers?|replies)\b)",
)
_PERSON_DOES = _any(
    _words("use live_in own maintain manage lead oversee report_to speak code_in"),
    f"work {_words('on at for in with as from')}",
    f"deploy {_words('with from to via')}",
    r"(?:run|operate|host)(?= (?-i:[A-Z]))",  # a named thing; "I run the tests" passes
    f"develop {_words('in on')}",
)
_TEAM_DECIDED = (
    _words("decided agreed moved switched migrated upgraded standardi[sz]ed") + "(?: (?:to|on|that|from|off))?"
)
_TEAM_DOES = _words(
    """
    use run deploy host ship build release keep store have rely_on monitor page tag pin require follow own maintain
    support rotate freeze call back_up log write don't do_not
    """
)
_I_AM = _words("an? the on_the in_the from based_in responsible_for in_charge_of colou?r-?blind")

FORMS = (
    _form(
        r"^(?:(?:please )?call me|my name is|I(?:'m| am) (?:called|named)) "
        r"(?P<value>[^\s,.;]+(?: (?-i:[A-Z])[^\s,.;]*)?)[.!]*$",
        "person",
        FactKind.PROFILE,
        single=True,
    ),
    _form(rf"^I(?:'d| would)? {_ADVERB}{_PERSON_LIKES}{_VALUE}", "person", FactKind.PREFERENCE),
    _form(rf"^I {_ADVERB}{_PERSON_DOES}{_VALUE}", "person", FactKind.PROFILE),
    _form(rf"^I(?:'m| am) (?={_I_AM}\b)(?P<value>\S.*)$", "person", FactKind.PROFILE),
    _form(rf"^my {_WHAT} {_ADVERB}{_PLACED}{_VALUE}", "person", FactKind.PROFILE, single=True),
    _form(rf"^my {_WHAT} {_ADVERB}{_DOES}{_VALUE}", "person", FactKind.PROFILE),
    _form(rf"^my {_WHAT} {_ADVERB}{_IS}{_VALUE}", "person", FactKind.PROFILE, single=True),
    _form(rf"^we(?:'ve| have)? {_ADVERB}{_TEAM_DECIDED}{_VALUE}", "team", FactKind.DECISION),
    _form(rf"^we {_ADVERB}{_TEAM_DOES}{_VALUE}", "team", FactKind.ENVIRONMENT),
    _form(rf"^{_THING} {_ADVERB}{_PLACED}{_VALUE}", "team", FactKind.ENVIRONMENT, single=True),
    _form(rf"^{_THING} {_ADVERB}{_DOES}{_VALUE}", "team", FactKind.ENVIRONMENT),
    _form(rf"^{_THING} {_ADVERB}{_IS}{_VALUE}", "team", FactKind.ENVIRONMENT, single=True),
)

LEAD_IN = re.compile(
    r"^(?:(?:hi|hello|hey|ok|okay|well|so|also|and|but|now|actually|anyway|btw|fyi|thanks)\b[,:!.]*\s+"
    r"|(?:by the way|for the record|just so you know|for your information)[,:]?\s+(?:that\s+)?)+",
    re.IGNORECASE,
)
REMEMBER = re.compile(
    r"^(?:please\s+)?(?:remember|note|don't forget|keep in mind)\b[,:]?\s+(?:that\s+)?"
    r"(?!(?:to|when|how|what|if|me|where|who|why)\b)",
    re.IGNORECASE,
)
JOINED = re.compile(r",?\s+(?:and|but)\s+(?=(?:I|I'm|my|we|we're|our|the)\b)", re.IGNORECASE)
UNSURE = re.compile(
    rf"^{_words('if when whenever suppose imagine assuming unless maybe perhaps hopefully not')}\b|"
    rf"\b{_words('might maybe perhaps probably I_think I_guess I_wonder not_sure could_be would_be')}\b|"
    r"\b(?:seems?|should|will|let's say)\b",
    re.IGNORECASE,
)
PASSING = re.compile(
    r"\b(?:today|tonight|tomorrow|yesterday|right now|at the moment|just now|for now|"
    r"this (?:morning|afternoon|evening|week|month|sprint)|(?:an?|\d+|few) (?:minutes?|hours?) ago)\b",
    re.IGNORECASE,
)
_PRONOUNS = _words(
    "it this that these those them you him her to how what why when where who because nothing the_way the_same"
)
_STATES = _words(
    """
    down broken failing failed slow stuck dead up ready done fine ok okay here back sure wrong weird flaky red green
    full empty late busy gone unavailable unreachable healthy unhealthy degraded sorry happy glad tired confused lost
    curious afraid good bad great nice true false correct unclear [a-z]+ing
    """
)
_TROUBLES = _words(
    "problems? issues? outages? incidents? questions? errors? bugs? idea clue time meeting chance look doubts? trouble "
    "state mess loop"
)
NO_VALUE = re.compile(
    # A pronoun stands for something else, a state passes, and trouble is what one talks about, not what is so.
    rf"^{_PRONOUNS}\b|"
    rf"^(?:{_words('not still very so too really completely totally')} )*{_STATES}(?:[\s.,!]|$)|"
    rf"^(?:{_words('an? some no another any the_same')} )?(?:[\w-]+ )?{_TROUBLES}\b",
    re.IGNORECASE,
)
_VAGUE = _words(
    """
    it this that there these those they he she you what which who i everything something nothing someone anything please
    here one some most many
    """
)
_MATTERS = _words(
    """
    question problem issue guess point idea understanding suspicion bad fault mistake theory hope goal plan concern
    thought feeling impression request error bug apologies next first last thing reason answer result output log logs
    """
)
NO_TOPIC = re.compile(rf"^{_VAGUE}\b|^{_words('my the our another only an?')} (?:\w+ )?{_MATTERS}\b", re.IGNORECASE)
_THINGS = _words(
    r"""
    clusters? servers? databases? db registry repo(?:sitor(?:y|ies))? pipelines? namespaces? env(?:ironment)?s?
    services? runbooks? buckets? regions? accounts? vpc queues? dashboards? bastion gateway proxy ingress nodes? apis?
    backend frontend monorepo prod production staging dev qa ci cd vault domain dns cert(?:ificate)?s? brokers? cache
    redis postgres(?:ql)? kafka rotation on-?call team channel deploy(?:ment)?s? releases? images? charts? backups?
    freeze maintenance window port endpoint url alerts? metrics grafana prometheus argocd terraform jenkins github
    gitlab scheduler workers? host project balancer cdn retention schedule secrets? tags? branch(?:es)? version \w+-\w+
    """
)
ENVIRONMENT = re.compile(rf"\b{_THINGS}\b", re.IGNORECASE)
NO_LONGER = re.compile(r"\b(?:no longer|any ?more)\b", re.IGNORECASE)
INSTEAD_OF = re.compile(
    r"\b(?:instead of|(?:moved|switched|migrated|upgraded|changed)(?: away)? from|rather than)\s+(?P<old>[^,.;]+?)"
    r"(?=\s+to\b|\s+in\b|[,.;!]|$)",
    re.IGNORECASE,
)
