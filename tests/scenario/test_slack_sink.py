"""A reply in a thread of the fake Slack, through the real SDK, by what a person sees of it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from bots.platform import Reply
from bots.reply import PLACEHOLDER
from bots.slack.errors import SlackRefusedError, SlackUnavailableError
from bots.slack.ids import SlackThread
from bots.slack.press import FEEDBACK, NAMES
from bots.slack.render import STREAM_BYTES
from bots.slack.sink import EDIT_S, PACE_S, SlackReply
from bots.slack.web import SlackWeb
from memory.errors import StoreConflictError, StoreUnavailableError
from tests.fakes.slack_server import Channel, Message, Person, SlackServer, Thread

RETRY = NAMES["retry"]
ANSWER = "The pod was killed for memory. Raise the limit to 512Mi."
PIECES = ("The pod was ", "killed for memory. ", "Raise the limit ", "to 512Mi.")


class Time:
    """A clock that goes on only when somebody waits, or a test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.waits: list[float] = []

    def now(self) -> float:
        """Return the time."""
        return self.seconds

    async def wait(self, seconds: float) -> None:
        """Let so much time pass."""
        self.waits.append(seconds)
        self.seconds += seconds
        await asyncio.sleep(0)


@dataclass
class Stage:
    """A question in a thread, and replies to it.

    Attributes:
        noted: The posts whose names were committed, each with what the thread's answers showed at that moment.
        note_error: Raised instead of committing.
    """

    slack: SlackServer
    thread: Thread
    web: SlackWeb
    time: Time
    asker: Person
    noted: list[tuple[str, list[str]]] = field(default_factory=list)
    note_error: Exception | None = None

    async def note(self, post: str) -> None:
        """Commit a post's name."""
        if self.note_error is not None:
            raise self.note_error
        self.noted.append((post, [message.shown for message in self.thread.answers]))

    def reply(
        self, *, post: str | None = None, fresh: bool = False, message_id: str = "7", show_within_s: float = 60
    ) -> SlackReply:
        """Return a reply whose turn has begun; not `fresh`, it may follow another attempt."""
        channel = self.thread.channel
        reply = SlackReply(
            self.web,
            SlackThread(channel.team.team_id, channel.channel_id, self.thread.ts),
            message_id=message_id,
            asker=self.asker.user_id,
            in_channel=channel.kind != "im",
            fresh=fresh,
            wait=self.time.wait,
            now=self.time.now,
            show_within_s=show_within_s,
        )
        reply.begin(post, self.note)
        return reply

    async def stream(self, reply: SlackReply, *pieces: str) -> None:
        """Let the model write, each piece a while after the one before."""
        for piece in pieces:
            await reply.append(piece)
            await self.time.wait(PACE_S)

    @property
    def answer(self) -> Message:
        """The one message of the app in the thread, finished and with nobody left at work."""
        [message] = self.thread.answers
        assert not message.streaming
        assert (self.thread.status, self.thread.session_status) in {("", "active"), ("", None)}
        return message

    def times(self, method: str) -> int:
        """How often a method was called."""
        return len(self.slack.calls_of(method))


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    """A fake Slack."""
    async with SlackServer() as server:
        yield server
        assert server.mass_mentions == []


@pytest.fixture
async def stage(slack: SlackServer) -> AsyncIterator[Stage]:
    """A question in a channel."""
    team = slack.team()
    ana = team.user("ana")
    general = team.channel("general", ana)
    async with _stage_in(slack, general, ana) as stage:
        yield stage


class _stage_in:  # noqa: N801  # used as a function
    """Set a stage in a channel."""

    def __init__(self, slack: SlackServer, channel: Channel, asker: Person) -> None:
        self._slack, self._channel, self._asker = slack, channel, asker

    async def __aenter__(self) -> Stage:
        asked = await self._asker.says(self._channel, "Why did the pod restart?")
        time = Time()
        token = self._channel.world.states[self._channel.team.team_id].bot_token
        self._web = SlackWeb(token, api_url=self._slack.url, timeout_s=2, wait=time.wait)
        return Stage(self._slack, Thread(self._channel, asked.ts), self._web, time, self._asker)

    async def __aexit__(self, *_: object) -> None:
        await self._web.close()


async def test_an_answer_grows_and_ends_in_one_message(stage: Stage) -> None:
    """A person sees a status, a message that grows, and the whole answer with buttons; nothing reads "(edited)"."""
    reply = stage.reply(fresh=True)
    await reply.status("is thinking")
    assert (stage.thread.status, stage.thread.session_status) == ("is thinking", "processing")

    await stage.stream(reply, *PIECES[:2])
    [growing] = stage.thread.answers
    assert growing.streaming and growing.shown == "".join(PIECES[:2]) and stage.thread.session_status == "processing"
    await stage.stream(reply, *PIECES[2:])
    await reply.finish(Reply(text=ANSWER, notices=("Memory is slow.",)))

    assert stage.answer.shown == f"{ANSWER}\nMemory is slow."
    assert FEEDBACK in stage.answer.buttons and not stage.answer.edited
    assert stage.slack.refusals == [] and stage.times("conversations.replies") == 0


async def test_the_first_post_is_noted_before_it_shows_anything(stage: Stage) -> None:
    """When the post's name is committed, the post is there and carries no answer text."""
    reply = stage.reply(fresh=True)

    await stage.stream(reply, *PIECES)
    await reply.finish(Reply(text=ANSWER))

    assert stage.noted == [(stage.answer.ts, [""])]


async def test_pieces_are_gathered(stage: Stage) -> None:
    """Many small pieces in one moment make one call; the rest goes out with the end."""
    reply = stage.reply(fresh=True)

    for letter in ANSWER:
        await reply.append(letter)
    assert stage.times("chat.appendStream") == 1
    await reply.finish(Reply(text=ANSWER))

    assert stage.answer.shown == ANSWER and stage.times("chat.appendStream") == 1


async def test_an_answer_in_a_dm(slack: SlackServer) -> None:
    """In a DM the stream is for nobody in particular."""
    ana = slack.team().user("ana")
    async with _stage_in(slack, ana.dm, ana) as stage:
        reply = stage.reply(fresh=True)
        await stage.stream(reply, *PIECES)
        await reply.finish(Reply(text=ANSWER))

        assert stage.answer.shown == ANSWER and slack.refusals == []


async def test_a_long_answer_comes_in_order(stage: Stage) -> None:
    """What one message cannot hold goes on in the next ones; the buttons are below the last."""
    text = "".join(f"Step {number}: check the node, then the pod.\n\n" for number in range(700))
    reply = stage.reply(fresh=True)

    await stage.stream(reply, *(text[at : at + 2_000] for at in range(0, len(text), 2_000)))
    await reply.finish(Reply(text=text))

    shown = [message.shown for message in stage.thread.answers]
    assert len(shown) == 3 and "".join(shown).split() == text.split()
    assert [bool(message.buttons) for message in stage.thread.answers] == [False, False, True]
    assert stage.thread.finished == stage.thread.answers and stage.slack.refusals == []


async def test_wide_characters_stay_within_a_stream(stage: Stage) -> None:
    """A stream is measured in bytes: what it cannot take waits for the end of the answer."""
    text = "漢字 " * 1_500
    assert len(text) < STREAM_BYTES < len(text.encode())
    reply = stage.reply(fresh=True)

    await stage.stream(reply, *(text[at : at + 500] for at in range(0, len(text), 500)))
    await reply.finish(Reply(text=text))

    assert stage.answer.shown.split() == text.split() and stage.slack.refusals == []


async def test_nobody_is_pinged_at_any_moment(stage: Stage) -> None:
    """A mass mention written letter by letter reads the same and is never live, in the stream and after it."""
    text = "Tell <!channel> and <!subteam^S1|ops>, then <!here>."
    reply = stage.reply(fresh=True)

    await stage.stream(reply, *text)
    await reply.finish(Reply(text=text))

    assert stage.answer.shown.replace("\u200b", "") == text


@pytest.mark.parametrize("pieces", [0, 1, 2])
async def test_an_expired_stream_is_completed_in_place(stage: Stage, pieces: int) -> None:
    """Slack forgets the stream at any moment; the same message goes on growing and ends with the whole answer."""
    reply = stage.reply(fresh=True)
    await stage.stream(reply, *PIECES[:pieces])
    if pieces:
        stage.slack.expire_streams()
    else:
        stage.slack.world.stream_appends = 0
    await stage.stream(reply, *PIECES[pieces:])
    assert [message.shown for message in stage.thread.answers] != ["".join(PIECES[:pieces])]

    await reply.finish(Reply(text=ANSWER))

    assert stage.answer.shown == ANSWER


async def test_a_stream_that_expires_at_the_end(stage: Stage) -> None:
    """All is shown, and the stream expires before it is ended; the answer stays once."""
    reply = stage.reply(fresh=True)
    await stage.stream(reply, *PIECES)
    stage.slack.expire_streams()

    await reply.finish(Reply(text=ANSWER))

    assert stage.answer.shown == ANSWER and FEEDBACK in stage.answer.buttons


FAULTS = [
    pytest.param("ratelimited", False, id="429"),
    pytest.param("status", False, id="500"),
    pytest.param("status", True, id="500 after the effect"),
    pytest.param("drop", False, id="connection lost"),
    pytest.param("drop", True, id="connection lost after the effect"),
    pytest.param("error", False, id="internal error"),
    pytest.param("error", True, id="internal error after the effect"),
]


@pytest.mark.parametrize("method", ["chat.startStream", "chat.appendStream", "chat.stopStream", "chat.update"])
@pytest.mark.parametrize(("kind", "after_effect"), FAULTS)
async def test_one_failure_of_any_call_is_not_seen(stage: Stage, method: str, kind: str, after_effect: bool) -> None:
    """A call fails, before or after it took effect: the answer is there, whole, once."""
    stage.slack.faults.add(method, kind, after_effect=after_effect, retry_after_s=7)  # type: ignore[arg-type]
    if method == "chat.update":
        stage.slack.world.stream_appends = 1
    reply = stage.reply(fresh=True)

    await stage.stream(reply, *PIECES)
    await reply.finish(Reply(text=ANSWER))

    assert stage.answer.shown == ANSWER
    assert [post for post, _shown in stage.noted] == [stage.answer.ts]


@pytest.mark.parametrize(("kind", "after_effect"), FAULTS)
async def test_no_part_is_posted_twice(stage: Stage, kind: str, after_effect: bool) -> None:
    """The answer to a post is lost: the post is looked for, and made again only if it is not there."""
    text = "Check the node. " * 1_500
    stage.slack.faults.add("chat.postMessage", kind, after_effect=after_effect)  # type: ignore[arg-type]
    reply = stage.reply(fresh=True)
    await stage.stream(reply, text)

    await reply.finish(Reply(text=text))

    shown = [message.shown for message in stage.thread.answers]
    assert len(shown) == 3 and "".join(shown).split() == text.split()


async def test_rate_limits_are_waited_for_as_told(stage: Stage) -> None:
    """At the end a rate limit is waited for as long as Slack says; while the answer is made nothing waits."""
    stage.slack.faults.add("chat.appendStream", "ratelimited", retry_after_s=30)
    stage.slack.faults.add("chat.stopStream", "ratelimited", retry_after_s=30, times=2)
    reply = stage.reply(fresh=True)

    await stage.stream(reply, *PIECES)
    assert stage.time.waits == [PACE_S] * len(PIECES) and stage.times("chat.appendStream") == 1
    await reply.finish(Reply(text=ANSWER))

    assert stage.answer.shown == ANSWER and stage.time.waits[-2:] == [30.0, 30.0]


async def test_without_streams_a_plain_post_grows(stage: Stage) -> None:
    """Where no stream can be had, a post without answer text comes first; it is edited about once a second."""
    stage.slack.faults.add("chat.startStream", "ratelimited", times=None)
    reply = stage.reply(fresh=True)

    await stage.stream(reply, *PIECES[:1])
    assert [message.shown for message in stage.thread.answers] == [PIECES[0]]
    await stage.stream(reply, *PIECES[1:])
    await reply.finish(Reply(text=ANSWER))

    assert stage.answer.shown == ANSWER and stage.noted == [(stage.answer.ts, [PLACEHOLDER])]
    assert stage.times("chat.update") == 1 + int(3 * PACE_S / EDIT_S) + 1  # at once, once a while, at the end
    assert stage.times("chat.startStream") == 1 and stage.slack.refusals == []


async def test_a_plain_post_grows_by_whole_blocks_until_it_is_full(stage: Stage) -> None:
    """An open code block is closed for the while, nobody is pinged, and what one post cannot hold waits for the end."""
    stage.slack.faults.add("chat.startStream", "error", error="not_allowed", times=None)
    reply = stage.reply(fresh=True)
    await stage.stream(reply, "```sh\necho '<!chan")
    [growing] = stage.thread.answers
    assert growing.shown == "```sh\necho '\n```"
    await stage.stream(reply, "nel>'\n```\n", "")
    await stage.time.wait(EDIT_S)
    await stage.stream(reply, "word " * 2_000)
    full = stage.times("chat.update")
    await stage.time.wait(EDIT_S)
    await stage.stream(reply, "word " * 2_000)
    assert stage.times("chat.update") == full
    await reply.finish(Reply(text="```sh\necho '<!channel>'\n```\n" + "word " * 4_000))

    assert len(stage.thread.answers) == 2 and not any(each.streaming for each in stage.thread.answers)


async def test_edits_that_are_limited_wait_and_the_end_comes_all_the_same(stage: Stage) -> None:
    """A 429 puts the next edit off as told; the model is not held up."""
    stage.slack.faults.add("chat.startStream", "error", error="not_allowed", times=None)
    reply = stage.reply(fresh=True)
    stage.slack.faults.add("chat.update", "ratelimited", retry_after_s=30)
    await stage.stream(reply, *PIECES)
    assert [message.shown for message in stage.thread.answers] == [PLACEHOLDER]
    assert stage.times("chat.update") == 1
    await stage.time.wait(30)
    await stage.stream(reply, " ")
    assert [message.shown.strip() for message in stage.thread.answers] == [ANSWER]
    await reply.finish(Reply(text=ANSWER))

    assert stage.answer.shown == ANSWER


async def test_an_answer_that_cannot_be_shown_meanwhile_is_shown_at_the_end(stage: Stage) -> None:
    """Nothing of the stream works; the model is not disturbed, and the end shows everything."""
    for method in ("chat.startStream", "chat.postMessage", "conversations.replies"):
        stage.slack.faults.add(method, "status", times=None)
    reply = stage.reply(fresh=True)
    await stage.stream(reply, *PIECES)
    assert stage.thread.answers == []

    stage.slack.faults.clear()
    await reply.finish(Reply(text=ANSWER))

    assert stage.answer.shown == ANSWER


async def test_an_append_that_always_fails_does_not_fail_the_answer(stage: Stage) -> None:
    """The stream never grows; the end shows the whole answer."""
    stage.slack.faults.add("chat.appendStream", "error", error="not_allowed", times=None)
    reply = stage.reply(fresh=True)

    await stage.stream(reply, *PIECES)
    await reply.finish(Reply(text=ANSWER))

    assert stage.answer.shown == ANSWER and stage.times("chat.appendStream") == 1


async def test_a_stream_that_is_not_ended_at_first(stage: Stage) -> None:
    """Slack refuses to end the stream and so to change the message: it is ended once more, and then changed."""
    stage.slack.faults.add("chat.stopStream", "error", error="not_allowed", times=2)
    reply = stage.reply(fresh=True)

    await stage.stream(reply, *PIECES)
    await reply.finish(Reply(text=ANSWER))

    assert stage.answer.shown == ANSWER


async def test_another_text_than_the_one_that_grew(stage: Stage) -> None:
    """What was committed takes the place of what was shown while it was made."""
    reply = stage.reply(fresh=True)

    await stage.stream(reply, *PIECES)
    await reply.finish(Reply(text="The token [redacted: key] was in the log."))

    assert stage.answer.shown == "The token [redacted: key] was in the log."


async def test_a_record_that_is_away_shows_nothing_early(stage: Stage) -> None:
    """While the post's name cannot be committed it stays empty; the end commits it and shows everything."""
    stage.note_error = StoreUnavailableError("sql", "note a post")
    reply = stage.reply(fresh=True)
    await stage.stream(reply, *PIECES)
    assert [message.shown for message in stage.thread.answers] == [""]

    stage.note_error = None
    await reply.finish(Reply(text=ANSWER))

    assert stage.answer.shown == ANSWER and stage.noted == [(stage.answer.ts, [""])]


async def test_blocks_that_slack_does_not_take(stage: Stage) -> None:
    """A Slack that refuses Markdown blocks and buttons gets the same words in plain ones."""
    refuse = {"error": "invalid_blocks", "times": None}
    stage.slack.faults.add("chat.stopStream", "error", only=lambda args: "blocks" in args, **refuse)  # type: ignore[arg-type]
    stage.slack.faults.add("chat.update", "error", only=lambda args: "markdown" in str(args), **refuse)  # type: ignore[arg-type]
    reply = stage.reply(fresh=True)

    await stage.stream(reply, *PIECES)
    await reply.finish(Reply(text=ANSWER))

    assert stage.answer.shown == ANSWER and stage.answer.buttons == {}


async def test_slack_down_at_the_end_is_told_and_mended_later(stage: Stage) -> None:
    """An end that cannot be shown is an error for the caller; a later sink shows it in the same message."""
    reply = stage.reply(fresh=True)
    await stage.stream(reply, *PIECES[:2])
    stage.slack.faults.add("*", "drop", times=None)
    with pytest.raises(SlackUnavailableError):
        await reply.finish(Reply(text=ANSWER))
    stage.slack.faults.clear()

    [(post, _shown)] = stage.noted
    await stage.reply(post=post).finish(Reply(text=ANSWER))

    assert stage.answer.shown == ANSWER


async def test_a_channel_that_refuses_is_told(stage: Stage) -> None:
    """Where Recall may not write, the model is not disturbed, and the end says so to the caller."""
    stage.thread.channel.archived = True
    reply = stage.reply(fresh=True)
    await stage.stream(reply, *PIECES)

    with pytest.raises(SlackRefusedError, match="is_archived"):
        await reply.finish(Reply(text=ANSWER))


@pytest.mark.parametrize("streamed", [1, 2])
@pytest.mark.parametrize("knows", [True, False])
@pytest.mark.parametrize("streams", [True, False])
async def test_a_crash_after_the_first_post(stage: Stage, streamed: int, knows: bool, streams: bool) -> None:
    """Another process answers in the post that the dead one left, whether or not its name was committed."""
    if not streams:
        stage.slack.faults.add("chat.startStream", "error", error="not_allowed", times=None)
    dead = stage.reply(fresh=True)
    if not knows:
        stage.note_error = StoreUnavailableError("sql", "note a post")
    await stage.stream(dead, *PIECES[:streamed])
    stage.note_error = None

    second = stage.reply(post=stage.noted[0][0] if knows else None)
    await stage.stream(second, *PIECES)
    await second.finish(Reply(text=ANSWER))

    assert stage.answer.shown == ANSWER
    assert [post for post, _shown in stage.noted] == [stage.answer.ts]


@pytest.mark.parametrize("length", [1, 1_500])
async def test_an_answer_shown_before_is_left_alone(stage: Stage, length: int) -> None:
    """A process died after it showed everything: the next one finds that, and posts and changes nothing."""
    text = "Check the node. " * length
    first = stage.reply(fresh=True)
    await stage.stream(first, text)
    await first.finish(Reply(text=text, notices=("Memory is slow.",)))
    before = [(message.ts, message.shown) for message in stage.thread.answers]

    for post in (stage.noted[0][0], None):
        await stage.reply(post=post).finish(Reply(text=text))

    assert [(message.ts, message.shown) for message in stage.thread.answers] == before


async def test_a_crash_between_two_parts(stage: Stage) -> None:
    """The first part is there and the second is not: only what is missing is posted."""
    text = "Check the node. " * 1_500
    first = stage.reply(fresh=True)
    await stage.stream(first, text)
    stage.slack.faults.add("chat.postMessage", "status", times=None)
    with pytest.raises(SlackUnavailableError):
        await first.finish(Reply(text=text))
    stage.slack.faults.clear()

    await stage.reply(post=stage.noted[0][0]).finish(Reply(text=text))

    shown = [message.shown for message in stage.thread.answers]
    assert len(shown) == 3 and "".join(shown).split() == text.split()


async def test_the_answer_to_another_message_is_not_taken(stage: Stage) -> None:
    """Two messages of one thread have two answers, also when the second must look for its own."""
    first = stage.reply(fresh=True, message_id="7")
    await stage.stream(first, "One.")
    await first.finish(Reply(text="One."))

    await stage.reply(message_id="8").finish(Reply(text="Two."))

    assert [message.shown for message in stage.thread.answers] == ["One.", "Two."]


async def test_an_answer_without_stream_is_posted_without_text_first(stage: Stage) -> None:
    """A reply that is there at once has its post noted before it shows any of it, also after the turn's lease."""
    await stage.reply(fresh=True).finish(Reply(text="No model.", failed=True, correlation_id="ab12"))
    assert stage.noted == [(stage.answer.ts, [PLACEHOLDER])]

    stage.note_error = StoreConflictError("sql", "note a post")
    await stage.reply(fresh=True, message_id="8").finish(Reply(text="No model.", failed=True))

    assert [message.shown for message in stage.thread.answers] == ["No model.\nError id: ab12", "No model."]


async def test_stop_keeps_what_was_read(stage: Stage) -> None:
    """A stopped answer keeps what the person has read, and says that it was stopped; nobody is at work any more."""
    reply = stage.reply(fresh=True)
    await stage.stream(reply, *PIECES[:2])
    await stage.asker.stops(stage.thread)

    await reply.append(PIECES[2])
    await reply.finish(Reply(text="Stopped.", failed=True))

    assert stage.answer.shown == "".join(PIECES[:3]) + "\nStopped."
    assert list(stage.answer.buttons) == [RETRY]
    assert stage.thread.session_status == "active"


async def test_abandoned_before_any_text(stage: Stage) -> None:
    """Nothing of an abandoned reply is left: no status, no empty message."""
    stage.note_error = StoreUnavailableError("sql", "note a post")
    reply = stage.reply(fresh=True)
    await reply.status("is thinking")
    await stage.stream(reply, PIECES[0])
    assert len(stage.thread.answers) == 1

    await reply.abandon()

    assert stage.thread.answers == []
    assert (stage.thread.status, stage.thread.session_status) == ("", "active")


async def test_abandoned_in_the_middle(stage: Stage) -> None:
    """What was shown stays for whoever goes on; it does not look as if somebody were writing."""
    reply = stage.reply(fresh=True)
    await stage.stream(reply, *PIECES[:2])

    await reply.abandon()

    assert stage.answer.shown == "".join(PIECES[:2])


async def test_abandoned_before_its_turn(stage: Stage) -> None:
    """A message that only waited takes its status back, and leaves the running turn's Stop button alone."""
    running = stage.reply(fresh=True)
    await stage.stream(running, PIECES[0])
    channel = stage.thread.channel
    waiting = SlackReply(
        stage.web,
        SlackThread(channel.team.team_id, channel.channel_id, stage.thread.ts),
        message_id="8",
        asker=stage.asker.user_id,
        in_channel=True,
    )
    await waiting.status("is waiting for its turn")

    await waiting.abandon()

    assert (stage.thread.status, stage.thread.session_status) == ("", "processing")


async def test_a_turn_that_passed_on_is_left_to_the_other(stage: Stage) -> None:
    """Another process answers now: this one stops, and takes back its empty post but nothing of the other's."""
    lost, other = stage.reply(fresh=True), stage.reply(fresh=True)
    await stage.stream(other, *PIECES)
    await other.finish(Reply(text=ANSWER))
    stage.note_error = StoreConflictError("sql", "note a post")

    with pytest.raises(StoreConflictError):
        await lost.append(PIECES[0])
    await lost.abandon()

    assert stage.answer.shown == ANSWER


async def test_a_post_that_another_process_filled_is_not_deleted(stage: Stage) -> None:
    """A process lost its turn before it showed anything; what the next one wrote into its post stays."""
    lost = stage.reply(fresh=True)
    await stage.stream(lost, "<")
    [(post, _shown)] = stage.noted
    await stage.reply(post=post).finish(Reply(text=ANSWER))

    await lost.abandon()

    assert stage.answer.shown == ANSWER


async def test_a_deleted_post_is_posted_again(stage: Stage) -> None:
    """The first post is gone from the thread; the answer comes in a new one."""
    reply = stage.reply(fresh=True)
    await stage.stream(reply, *PIECES)
    [growing] = stage.thread.answers
    await stage.thread.channel.remove(growing)

    await reply.finish(Reply(text=ANSWER))

    assert stage.answer.shown == ANSWER


async def test_a_status_that_fails_is_only_logged(stage: Stage) -> None:
    """An answer does not depend on its status line."""
    for method in ("agents.sessions.setStatus", "assistant.threads.setStatus"):
        stage.slack.faults.add(method, "status", times=None)
    reply = stage.reply(fresh=True)

    await reply.status("is thinking")
    await stage.stream(reply, *PIECES)
    await reply.finish(Reply(text=ANSWER))

    assert [message.shown for message in stage.thread.answers] == [ANSWER]


async def fail(stage: Stage, text: str) -> None:
    """Let an attempt end without an answer, after it has shown some text."""
    first = stage.reply(fresh=True)
    await first.working()
    await stage.stream(first, text)
    await first.finish(Reply(text="No answer.", failed=True, correlation_id="e1"))


@pytest.mark.parametrize(("before", "after"), [(0, 1), (3, 1), (1, 3), (3, 3)])
async def test_another_attempt_takes_the_place_of_a_failed_one(stage: Stage, before: int, after: int) -> None:
    """All of its parts: those that are not needed any more go, and none is there twice."""
    await fail(stage, "lost " * 2_000 * before)
    [post, *_] = stage.thread.answers
    again = stage.reply(post=post.ts)
    await again.working()
    text = "word " * 2_000 * after
    await again.finish(Reply(text=text))

    assert stage.thread.answers[0] is post
    assert "".join(message.shown for message in stage.thread.answers).split() == text.split()
    assert [RETRY in message.buttons for message in stage.thread.answers] == [False] * len(stage.thread.answers)


async def test_a_failure_that_is_shown_once_more_stays_as_it_was(stage: Stage) -> None:
    """Who only shows the end of a turn knows less of it than who made it."""
    await fail(stage, "It was")
    [post] = stage.thread.answers
    shown = post.shown
    late = stage.reply(post=post.ts)
    await late.finish(Reply(text="Something went wrong.", failed=True))

    assert stage.answer.shown == shown and RETRY in post.buttons


async def test_an_answer_that_only_remains_to_be_shown_replaces_a_failure(stage: Stage) -> None:
    """The process that made it has died before it was shown."""
    await fail(stage, "")
    [post] = stage.thread.answers
    late = stage.reply(post=post.ts)
    await late.finish(Reply(text=ANSWER))

    assert stage.answer.shown == ANSWER and stage.answer is post


async def test_a_failed_answer_grows_anew_while_it_is_tried_again(stage: Stage) -> None:
    """The old words and their button are gone with the first piece."""
    await fail(stage, "")
    [post] = stage.thread.answers
    again = stage.reply(post=post.ts)
    await again.working()
    await stage.stream(again, PIECES[0])

    assert post.shown == PIECES[0] and RETRY not in post.buttons


LONG = "Check the node. " * 1_500


async def test_a_part_is_not_posted_again_where_nobody_can_look_for_it(stage: Stage) -> None:
    """The answer to its post is lost, and the thread may not be read: it is left to a time when it may."""
    stage.slack.faults.add("conversations.replies", "error", error="missing_scope", times=None)
    stage.slack.faults.add("chat.postMessage", "drop", after_effect=True)
    first = stage.reply(fresh=True)
    await stage.stream(first, LONG)
    with pytest.raises(SlackUnavailableError, match=r"chat\.postMessage"):
        await first.finish(Reply(text=LONG))
    assert len(stage.thread.answers) == 2

    later = stage.reply(post=stage.noted[0][0])
    with pytest.raises(SlackUnavailableError, match=r"conversations\.replies"):
        await later.finish(Reply(text=LONG))
    assert len(stage.thread.answers) == 2

    stage.slack.faults.clear()
    await stage.reply(post=stage.noted[0][0]).finish(Reply(text=LONG))
    shown = [message.shown for message in stage.thread.answers]
    assert len(shown) == 3 and "".join(shown).split() == LONG.split()


async def test_nothing_is_posted_blindly_after_another_attempt(stage: Stage) -> None:
    """It may have posted, and the thread may not be read; one post that is known is completed all the same."""
    stage.slack.faults.add("conversations.replies", "error", error="missing_scope", times=None)
    with pytest.raises(SlackRefusedError, match="missing_scope"):
        await stage.reply().finish(Reply(text=ANSWER))
    assert stage.thread.answers == []

    first = stage.reply(fresh=True)
    await stage.stream(first, *PIECES[:1])
    await stage.reply(post=stage.noted[0][0]).finish(Reply(text=ANSWER))

    assert stage.answer.shown == ANSWER


async def test_a_thread_that_is_gone_holds_nothing(stage: Stage) -> None:
    """Slack not finding it is an answer: nothing was posted there."""
    stage.slack.faults.add("conversations.replies", "error", error="thread_not_found", times=None)

    await stage.reply().finish(Reply(text=ANSWER))

    assert stage.answer.shown == ANSWER


async def test_a_long_rate_limit_is_waited_out(stage: Stage) -> None:
    """Slack's own time is kept to, not ours, which is shorter."""
    stage.slack.faults.add("chat.startStream", "ratelimited", times=None)
    stage.slack.faults.add("chat.update", "ratelimited", retry_after_s=61)
    reply = stage.reply(fresh=True)

    await reply.finish(Reply(text=ANSWER))

    assert stage.answer.shown == ANSWER
    assert stage.time.waits == [61.0] and stage.times("chat.update") == 2


@pytest.mark.parametrize("method", ["chat.update", "chat.postMessage"])
async def test_a_rate_limit_that_outlasts_the_showing_is_left_to_later(stage: Stage, method: str) -> None:
    """Nobody asks again before the time that Slack named."""
    stage.slack.faults.add("chat.startStream", "ratelimited", times=None)
    stage.slack.faults.add(method, "ratelimited", retry_after_s=600, times=None)
    with pytest.raises(SlackUnavailableError, match="rate limited for 600 s"):
        await stage.reply(fresh=True).finish(Reply(text=ANSWER))
    assert stage.time.waits == [] and stage.times(method) == 1

    stage.slack.faults.clear()
    await stage.reply(post=stage.noted[0][0] if stage.noted else None).finish(Reply(text=ANSWER))
    assert stage.answer.shown == ANSWER


async def test_showing_ends_in_time(stage: Stage) -> None:
    """Before another process takes the answer for lost, this one lets go of it."""
    stage.slack.faults.add("chat.startStream", "error", error="not_allowed", times=None)
    stage.slack.faults.add("chat.update", "hold", times=None)
    with pytest.raises(SlackUnavailableError, match=r"not shown in 0\.2 s"):
        await stage.reply(fresh=True, show_within_s=0.2).finish(Reply(text=ANSWER))
    stage.slack.release()
    stage.slack.faults.clear()

    await stage.reply(post=stage.noted[0][0]).finish(Reply(text=ANSWER))
    assert stage.answer.shown == ANSWER


@pytest.mark.parametrize("code", ["cant_update_message", "edit_window_closed", "is_inactive"])
async def test_a_post_that_can_no_longer_be_changed_is_left_for_a_new_one(stage: Stage, code: str) -> None:
    """The answer comes once more, whole, and a later attempt knows where."""
    stage.slack.faults.add("chat.stopStream", "error", error="message_not_in_streaming_state")
    stage.slack.faults.add("chat.update", "error", error=code)
    reply = stage.reply(fresh=True)
    await stage.stream(reply, *PIECES)

    await reply.finish(Reply(text=ANSWER))
    new = stage.thread.answers[-1]
    await stage.reply(post=stage.noted[-1][0]).finish(Reply(text=ANSWER))

    assert len(stage.thread.answers) == 2 and new.shown == ANSWER
    assert [post for post, _shown in stage.noted] == [message.ts for message in stage.thread.answers]


async def test_a_channel_where_no_post_can_be_changed_is_told(stage: Stage) -> None:
    """One new post is tried, not one after another."""
    stage.slack.faults.add("chat.startStream", "error", error="not_allowed", times=None)
    stage.slack.faults.add("chat.update", "error", error="edit_window_closed", times=None)

    with pytest.raises(SlackRefusedError, match="edit_window_closed"):
        await stage.reply(fresh=True).finish(Reply(text=ANSWER))

    assert stage.times("chat.postMessage") == 2


@pytest.mark.parametrize("bang", ["&#33;", "&#x21;", "&excl;", "\\&#33;"])
async def test_nobody_is_pinged_by_a_mention_in_entities(stage: Stage, bang: str) -> None:
    """A mention that is one only after decoding is broken as well, letter by letter and at the end."""
    text = f"Tell <{bang}channel> and <!h&#101;re>."
    reply = stage.reply(fresh=True)

    await stage.stream(reply, *text)
    await reply.finish(Reply(text=text))

    assert stage.answer.shown.replace("\u200b", "") == text
