"""A reply in the fake Discord, through the real library, by what a person sees of it."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bots.discord.errors import DiscordRefusedError, DiscordUnavailableError
from bots.discord.render import CONTENT_CHARS, THINKING
from bots.discord.sink import PACE_S, RETRY_S
from bots.platform import Reply
from memory.errors import StoreConflictError, StoreUnavailableError
from tests.fakes.discord_server import DiscordServer, lifecycle
from tests.fixtures.discord_stage import Stage, stage_in

pytestmark = pytest.mark.timeout(60)

ANSWER = "The pod was killed for memory. Raise the limit to 512Mi."
PIECES = ("The pod was ", "killed for memory. ", "Raise the limit ", "to 512Mi.")
LONG = "Check the node. " * 300
POST, EDIT = "POST */messages", "PATCH */messages/*"
OPEN = "POST */threads"
STAND_IN = f"-# {THINKING}"


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    """A fake Discord, in which nobody was pinged."""
    async with DiscordServer() as server:
        yield server
        assert server.pings == []


@pytest.fixture
async def stage(server: DiscordServer) -> AsyncIterator[Stage]:
    """A question in a channel."""
    guild = server.guild()
    async with stage_in(server, guild.channel("ops"), guild.user("ana")) as stage:
        yield stage


def words(stage: Stage) -> list[str]:
    """Return the words of all answers, in order."""
    return "".join(f"{each} " for each in stage.shown).split()


async def test_an_answer_grows_and_ends_in_one_message(stage: Stage) -> None:
    """A person sees a stand-in with Stop, a message that grows, and the whole answer with buttons."""
    reply = stage.reply(fresh=True)
    await reply.working()
    assert stage.shown == [STAND_IN]
    assert list(stage.answers[0].buttons) == ["Stop"]

    await stage.stream(reply, *PIECES[:2])
    assert stage.shown == ["".join(PIECES[:2]).strip()]
    assert list(stage.answers[0].buttons) == ["Stop"]
    await stage.stream(reply, *PIECES[2:])
    await reply.finish(Reply(text=ANSWER, notices=("Memory is slow.",)))

    assert stage.answer.shown == f"{ANSWER}\n-# Memory is slow."
    assert "Good answer" in stage.answer.buttons
    assert stage.server.refusals == []
    assert stage.times("GET */messages") == 0


async def test_the_first_post_is_noted_before_it_shows_anything(stage: Stage) -> None:
    """When the post's name is committed, the post is there and carries no word of the answer."""
    reply = stage.reply(fresh=True)
    await stage.stream(reply, *PIECES)
    await reply.finish(Reply(text=ANSWER))

    assert stage.noted == [(stage.answer.message_id, [STAND_IN])]


async def test_an_answer_that_is_there_at_once_is_noted_first_too(stage: Stage) -> None:
    """Also after the turn's lease."""
    await stage.reply(fresh=True).finish(Reply(text="No model.", failed=True, correlation_id="ab12"))

    assert stage.noted == [(stage.answer.message_id, [STAND_IN])]
    assert stage.answer.shown == "No model.\nError id: ab12"


async def test_pieces_are_gathered(stage: Stage) -> None:
    """Many small pieces in one moment make one edit; the rest goes out with the end."""
    reply = stage.reply(fresh=True)
    for letter in ANSWER:
        await reply.append(letter)
    assert stage.times(EDIT) == 1
    await reply.finish(Reply(text=ANSWER))

    assert stage.answer.shown == ANSWER
    assert stage.times(EDIT) == 2


async def test_an_answer_in_direct_messages(server: DiscordServer) -> None:
    """There is no thread, and it replies to nothing."""
    ana = server.user("ana")
    async with stage_in(server, ana.dm, ana) as stage:
        reply = stage.reply(fresh=True)
        await reply.working()
        await stage.stream(reply, *PIECES)
        await reply.finish(Reply(text=ANSWER))

        assert stage.answer.shown == ANSWER
        assert stage.answer.reference is None
        assert server.refusals == []


@pytest.mark.parametrize(
    "paragraph",
    [
        "Step {}: check the node, then the pod.\n\n",
        "```python\n# {}\nprint('a long line of code in a block')\n```\n\n",
        "| {} | 漢字漢字 | 😀😀 |\n",
        "段落{}、ノードを確認し、次にポッドを確認します😀。\n",
    ],
    ids=["prose", "fences", "table", "wide"],
)
async def test_a_long_answer_comes_in_order(stage: Stage, paragraph: str) -> None:
    """Thirty thousand characters: every part within the limit, none lost, each code block closed."""
    text = "".join(paragraph.format(number) for number in range(30_000 // len(paragraph)))
    reply = stage.reply(fresh=True)
    await stage.stream(reply, *(text[at : at + 7_000] for at in range(0, len(text), 7_000)))
    await reply.finish(Reply(text=text))

    assert "".join(words(stage)) == "".join(text.split())
    assert all(len(each) <= CONTENT_CHARS for each in stage.shown)
    assert all(each.count("```") % 2 == 0 for each in stage.shown)
    assert not any(message.working for message in stage.answers)
    assert ["Good answer" in message.buttons for message in stage.answers] == [False] * (len(stage.shown) - 1) + [True]
    assert stage.server.refusals == []


async def test_nobody_is_pinged_at_any_moment(stage: Stage) -> None:
    """Whatever the model writes; the fixture looks."""
    text = f"Tell @everyone, @here and <@{stage.asker.user_id}>."
    reply = stage.reply(fresh=True)
    await stage.stream(reply, *text)
    await reply.finish(Reply(text=text))

    assert stage.answer.shown == text


FAULTS = [
    pytest.param("ratelimited", False, id="429"),
    pytest.param("status", False, id="503"),
    pytest.param("status", True, id="503 after the effect"),
    pytest.param("drop", False, id="connection lost"),
    pytest.param("drop", True, id="connection lost after the effect"),
]


@pytest.mark.parametrize("route", [OPEN, POST, EDIT])
@pytest.mark.parametrize(("kind", "after_effect"), FAULTS)
async def test_one_failure_of_any_call_is_not_seen(stage: Stage, route: str, kind: str, *, after_effect: bool) -> None:
    """A call fails, before or after it took effect: the answer is there, whole, once."""
    stage.server.faults.add(route, kind, after_effect=after_effect, status=503)  # type: ignore[arg-type]  # a name of one
    reply = stage.reply(fresh=True)
    await reply.working()
    await stage.stream(reply, *PIECES)
    await reply.finish(Reply(text=ANSWER))

    assert stage.answer.shown == ANSWER
    assert [post for post, _ in stage.noted] == [stage.answer.message_id]
    assert len(stage.channel.threads) == 1


@pytest.mark.parametrize("skipped", [0, 1, 2])
@pytest.mark.parametrize(("kind", "after_effect"), FAULTS)
async def test_no_part_is_posted_twice(stage: Stage, kind: str, skipped: int, *, after_effect: bool) -> None:
    """The answer to a post is lost while the part grows: it is there once, and whole."""
    reply = stage.reply(fresh=True)
    await stage.stream(reply, LONG[: 1_000 * skipped])
    stage.server.faults.add(POST, kind, after_effect=after_effect, status=503)  # type: ignore[arg-type]  # a name of one
    await stage.stream(reply, LONG[1_000 * skipped : 2_500])
    await reply.finish(Reply(text=LONG))

    assert words(stage) == LONG.split()
    assert len(stage.answers) == 3


async def test_answers_lost_all_along_end_in_the_whole_text_once(stage: Stage) -> None:
    """Each call takes effect, and the first answers never come."""
    for route in (OPEN, POST, EDIT):
        stage.server.faults.add(route, "drop", after_effect=True, times=3)
    reply = stage.reply(fresh=True)
    await reply.working()
    await stage.stream(reply, LONG[:1_000], LONG[1_000:2_500], LONG[2_500:])
    await reply.finish(Reply(text=LONG))

    assert words(stage) == LONG.split()
    assert len(stage.answers) == 3


@pytest.mark.parametrize("route", [OPEN, POST, EDIT, "POST */typing", "*"])
async def test_rate_limits_end_in_the_final_text(stage: Stage, route: str) -> None:
    """On any route, and on all at once: it takes longer, and all of it comes, once."""
    stage.server.faults.add(route, "ratelimited", times=4)
    reply = stage.reply(fresh=True)
    await reply.working()
    await stage.stream(reply, *PIECES)
    await reply.finish(Reply(text=LONG))

    assert words(stage) == LONG.split()
    assert len(stage.answers) == 3


async def test_a_rate_limit_that_outlasts_the_showing_is_left_to_later(stage: Stage) -> None:
    """Nobody asks again before the time that Discord named; then the answer comes, once."""
    reply = stage.reply(fresh=True)
    await stage.stream(reply, *PIECES)
    fault = stage.server.faults.add(EDIT, "ratelimited", retry_after_s=600, times=None)
    with pytest.raises(DiscordUnavailableError, match="rate limited"):
        await reply.finish(Reply(text=f"{ANSWER} Done."))
    assert min(stage.time.waits[len(PIECES) :]) >= 600
    assert fault.hit <= 4

    stage.server.faults.clear()
    await stage.reply(post=stage.noted[0][0]).finish(Reply(text=f"{ANSWER} Done."))
    assert stage.answer.shown == f"{ANSWER} Done."


async def test_showing_ends_in_time(stage: Stage) -> None:
    """Before another process takes the answer for lost, this one lets go of it."""
    stage.server.faults.add(EDIT, "hold", times=None)
    with pytest.raises(DiscordUnavailableError, match=r"within 0\.2 s"):
        await stage.reply(fresh=True, show_within_s=0.2).finish(Reply(text=ANSWER))
    stage.server.release()
    stage.server.faults.clear()

    await stage.reply(post=stage.noted[0][0]).finish(Reply(text=ANSWER))
    assert stage.answer.shown == ANSWER


async def test_an_answer_that_cannot_be_shown_meanwhile_is_shown_at_the_end(stage: Stage) -> None:
    """Nothing can be posted; the model is not disturbed, and the end shows everything."""
    stage.server.faults.add("*", "status", status=503, times=None)
    reply = stage.reply(fresh=True)
    await reply.working()
    await stage.stream(reply, *PIECES)
    assert stage.answers == []
    stage.server.faults.clear()
    await reply.finish(Reply(text=ANSWER))

    assert stage.answer.shown == ANSWER


async def test_discord_down_at_the_end_is_told_and_mended_later(stage: Stage) -> None:
    """An end that cannot be shown is an error for the caller; a later sink shows it in the same message."""
    reply = stage.reply(fresh=True)
    await stage.stream(reply, *PIECES[:2])
    stage.server.faults.add("*", "drop", times=None)
    with pytest.raises(DiscordUnavailableError):
        await reply.finish(Reply(text=ANSWER))
    stage.server.faults.clear()
    [(post, _)] = stage.noted
    await stage.reply(post=post).finish(Reply(text=ANSWER))

    assert stage.answer.shown == ANSWER


async def test_a_record_that_is_away_shows_nothing_early(stage: Stage) -> None:
    """While the post's name cannot be committed it stays a stand-in; the end commits it and shows everything."""
    stage.note_error = StoreUnavailableError("sql", "note a post")
    reply = stage.reply(fresh=True)
    await stage.stream(reply, *PIECES)
    assert stage.shown == [STAND_IN]
    stage.note_error = None
    await reply.finish(Reply(text=ANSWER))

    assert stage.answer.shown == ANSWER
    assert stage.noted == [(stage.answer.message_id, [STAND_IN])]


@pytest.mark.parametrize("streamed", [0, 1, 2])
@pytest.mark.parametrize("knows", [True, False])
async def test_a_crash_after_the_first_post(stage: Stage, streamed: int, *, knows: bool) -> None:
    """Another process answers in the post that the dead one left, whether or not its name was committed."""
    dead = stage.reply(fresh=True)
    if not knows:
        stage.note_error = StoreUnavailableError("sql", "note a post")
    await dead.working()
    await stage.stream(dead, *PIECES[:streamed])
    stage.note_error = None
    second = stage.reply(post=stage.noted[0][0] if stage.noted else None)
    await second.working()
    await stage.stream(second, *PIECES)
    await second.finish(Reply(text=ANSWER))
    await dead.abandon()

    assert stage.answer.shown == ANSWER
    assert [post for post, _ in stage.noted] == [stage.answer.message_id]


@pytest.mark.parametrize("text", [ANSWER, LONG], ids=["one part", "three parts"])
async def test_an_answer_shown_before_is_left_alone(stage: Stage, text: str) -> None:
    """A process died after it showed everything: the next one finds that, and posts and changes nothing."""
    first = stage.reply(fresh=True)
    await stage.stream(first, text)
    await first.finish(Reply(text=text, notices=("Memory is slow.",)))
    before = [(message.message_id, message.shown) for message in stage.answers]
    for post in (stage.noted[0][0], None):
        await stage.reply(post=post).finish(Reply(text=text))

    assert [(message.message_id, message.shown) for message in stage.answers] == before


async def test_a_crash_between_two_parts(stage: Stage) -> None:
    """The first part is there and the others are not: only what is missing is posted."""
    first = stage.reply(fresh=True)
    await stage.stream(first, LONG[:1_000])
    stage.server.faults.add(POST, "status", status=503, times=None)
    with pytest.raises(DiscordUnavailableError):
        await first.finish(Reply(text=LONG))
    stage.server.faults.clear()
    await stage.reply(post=stage.noted[0][0]).finish(Reply(text=LONG))

    assert words(stage) == LONG.split()
    assert len(stage.answers) == 3


async def test_parts_are_not_posted_where_nobody_can_look_for_them(stage: Stage) -> None:
    """Another attempt may have posted them, and the history may not be read: it is left to a time when it may."""
    first = stage.reply(fresh=True)
    await stage.stream(first, LONG[:1_000])
    stage.server.faults.add("GET */messages", "error", code=50001, times=None)
    with pytest.raises(DiscordUnavailableError, match="history"):
        await stage.reply(post=stage.noted[0][0]).finish(Reply(text=LONG))
    assert len(stage.answers) == 1
    stage.server.faults.clear()
    await stage.reply(post=stage.noted[0][0]).finish(Reply(text=LONG))

    assert words(stage) == LONG.split()


async def test_a_post_that_is_deleted_while_it_grows_is_posted_again(stage: Stage) -> None:
    """The next pieces grow in a new one, which is noted as well."""
    reply = stage.reply(fresh=True)
    await stage.stream(reply, *PIECES[:2])
    lifecycle.delete(stage.server.world, stage.answers[0])
    await stage.stream(reply, *PIECES[2:])
    assert stage.shown == [ANSWER]
    await reply.finish(Reply(text=ANSWER))

    assert stage.answer.shown == ANSWER
    assert stage.noted[-1][0] == stage.answer.message_id


async def test_a_part_that_is_deleted_while_it_grows_is_posted_again(stage: Stage) -> None:
    """The answer is whole."""
    reply = stage.reply(fresh=True)
    await stage.stream(reply, LONG[:4_500])
    lifecycle.delete(stage.server.world, stage.answers[-1])
    await reply.finish(Reply(text=LONG))

    assert words(stage) == LONG.split()
    assert len(stage.answers) == 3


async def test_a_stand_in_that_was_taken_back_is_posted_anew(stage: Stage) -> None:
    """A turn is handed over before it had a word; Discord still knows the nonce of what was deleted."""
    first = stage.reply(fresh=True)
    await first.working()
    await first.abandon()
    assert stage.answers == []
    second = stage.reply()
    await second.working()
    await stage.stream(second, *PIECES)
    assert stage.shown == [ANSWER]
    await second.finish(Reply(text=ANSWER))

    assert stage.answer.shown == ANSWER


@pytest.mark.parametrize("name", ["archived", "old"])
async def test_a_post_that_can_no_longer_be_changed_is_left_for_a_new_one(stage: Stage, name: str) -> None:
    """Somebody archived the thread, or it is hours later and Discord has had enough of edits."""
    reply = stage.reply(fresh=True)
    await stage.stream(reply, *PIECES[:2])
    [thread] = stage.channel.threads
    if name == "archived":
        lifecycle.archive(stage.server.world, thread)
    else:
        stage.server.faults.add(EDIT, "error", code=30046)
    await reply.finish(Reply(text=ANSWER))

    assert stage.answer.shown == ANSWER
    assert stage.noted[-1][0] == stage.answer.message_id


async def test_where_recall_may_not_write_the_end_says_so(stage: Stage) -> None:
    """The model is not disturbed, and Discord is not asked over and over."""
    stage.server.faults.add(POST, "error", code=50013, times=None)
    reply = stage.reply(fresh=True)
    await reply.working()
    await stage.stream(reply, *PIECES)
    with pytest.raises(DiscordRefusedError, match="50013"):
        await reply.finish(Reply(text=ANSWER))

    assert stage.times(POST) == 3


async def test_a_thread_that_may_not_be_made_leaves_a_reply_in_the_channel(stage: Stage) -> None:
    """All parts in order, the first one a reply to the question."""
    stage.server.faults.add(OPEN, "error", code=50013, times=None)
    reply = stage.reply(fresh=True)
    await reply.working()
    await stage.stream(reply, LONG)
    await reply.finish(Reply(text=LONG))

    assert stage.channel.threads == []
    assert words(stage) == LONG.split()
    assert (stage.answers[0].reference or {}).get("message_id") == stage.asked.message_id


async def test_a_thread_that_somebody_made_first_is_used(stage: Stage) -> None:
    """A message has one thread at most."""
    thread = await stage.asker.starts_thread(stage.channel, "mine", message=stage.asked)
    await stage.reply(fresh=True).finish(Reply(text=ANSWER))

    assert [message.shown for message in thread.answers] == [ANSWER]
    assert stage.channel.threads == [thread]


async def test_a_question_in_a_private_thread_is_answered_there_or_nowhere(server: DiscordServer) -> None:
    """Recall was taken out of it meanwhile: others read the channel."""
    guild = server.guild()
    ana, ops = guild.user("ana"), guild.channel("ops")
    thread = await ana.starts_thread(ops, "secret", ana, private=True)
    await ana.adds(thread, bot=True)
    async with stage_in(server, thread, ana) as stage:
        lifecycle.leave_thread(server.world, thread, server.bot)
        with pytest.raises(DiscordRefusedError):
            await stage.reply().finish(Reply(text=ANSWER))

    assert ops.answers == []


async def test_stop_keeps_what_was_read(stage: Stage) -> None:
    """A stopped answer keeps what the person has read, and says that it was stopped."""
    reply = stage.reply(fresh=True)
    await stage.stream(reply, *PIECES[:3])
    await reply.finish(Reply(text="Stopped.", failed=True))

    assert stage.answer.shown == "".join(PIECES[:3]) + "\nStopped."
    assert list(stage.answer.buttons) == ["Try again"]


async def test_an_answer_that_had_to_wait_stands_below_those_before_it(server: DiscordServer) -> None:
    """What said that it waits is gone, and its stand-in comes after what was posted meanwhile."""
    ana = server.guild().user("ana")
    async with stage_in(server, ana.dm, ana) as stage:
        later = replace(stage, asked=await ana.says(ana.dm, "And why now?"))
        first, second = stage.reply(fresh=True), later.reply(fresh=True)
        await second.status("Queued.")
        await first.working()
        await first.finish(Reply(text=LONG))
        await second.working()
        await second.finish(Reply(text=ANSWER))

    assert len(stage.shown) > 2
    assert stage.shown[-1] == ANSWER
    assert "Queued" not in "".join(stage.shown)


async def test_an_answer_that_had_to_wait_gets_its_place_late(server: DiscordServer) -> None:
    """What says that it waits could not be taken back when its turn began; at the end it is."""
    ana = server.guild().user("ana")
    async with stage_in(server, ana.dm, ana) as stage:
        later = replace(stage, asked=await ana.says(ana.dm, "And why now?"))
        first, second = stage.reply(fresh=True), later.reply(fresh=True)
        await second.status("Queued.")
        await first.working()
        await first.finish(Reply(text=LONG))
        server.faults.add("DELETE */messages/*", "status", times=3)
        await second.working()
        await second.finish(Reply(text=ANSWER))

    assert stage.shown[-1] == ANSWER
    assert "Queued" not in "".join(stage.shown)


async def test_no_answer_is_made_of_what_may_be_deleted_yet(stage: Stage) -> None:
    """A deletion that was given up may be carried out late; the answer stands for itself, once."""
    stage.server.faults.add("DELETE */messages/*", "status", times=None)
    reply = stage.reply(fresh=True, clear_within_s=0.1)
    await reply.status("Queued.")
    await reply.working()
    await reply.finish(Reply(text=ANSWER))

    assert stage.shown == ["-# Queued.", ANSWER]


async def test_another_attempt_clears_away_what_a_cut_off_one_left(stage: Stage) -> None:
    """The first process could not take its line back and died; the next one shows the answer alone."""
    stage.server.faults.add("DELETE */messages/*", "status", times=None)
    reply = stage.reply(fresh=True, clear_within_s=0.1)
    await reply.status("Queued.")
    await reply.working()
    stage.server.faults.clear()
    await stage.reply().finish(Reply(text=ANSWER))

    assert stage.shown == [ANSWER]


async def test_abandoned_before_any_text(stage: Stage) -> None:
    """Nothing of an abandoned reply is left: no stand-in, nobody typing."""
    reply = stage.reply(fresh=True)
    await reply.status("Queued.")
    await reply.abandon()

    assert stage.answers == []
    assert not stage.channel.bot_is_typing


async def test_abandoned_in_the_middle(stage: Stage) -> None:
    """What was shown stays for whoever goes on."""
    reply = stage.reply(fresh=True)
    await stage.stream(reply, *PIECES[:2])
    await reply.abandon()

    assert stage.shown == ["".join(PIECES[:2]).strip()]


async def test_a_turn_that_passed_on_is_left_to_the_other(stage: Stage) -> None:
    """Another process answers now: this one stops, and takes back nothing of the other's."""
    other = stage.reply(fresh=True)
    await stage.stream(other, *PIECES)
    await other.finish(Reply(text=ANSWER))
    stage.note_error = StoreConflictError("sql", "note a post")
    lost = stage.reply()
    with pytest.raises(StoreConflictError):
        await lost.append(PIECES[0])
    await lost.abandon()

    assert stage.answer.shown == ANSWER


@pytest.mark.parametrize(("before", "after"), [(0, 1), (3, 1), (1, 3), (3, 3)])
async def test_another_attempt_takes_the_place_of_a_failed_one(stage: Stage, before: int, after: int) -> None:
    """All of its parts: those that are not needed any more go, and none is there twice."""
    first = stage.reply(fresh=True)
    await first.working()
    await stage.stream(first, "lost " * 300 * before)
    await first.finish(Reply(text="No answer.", failed=True, correlation_id="e1"))
    [post, *_] = stage.answers
    again = stage.reply(post=post.message_id)
    await again.working()
    text = "word " * 300 * after
    await again.finish(Reply(text=text))

    assert stage.answers[0] is post
    assert words(stage) == text.split()
    assert not any("Try again" in message.buttons for message in stage.answers)


async def test_attempts_that_shrink_and_grow_again_lose_nothing(stage: Stage) -> None:
    """What was deleted in between has the nonce of what is posted then."""
    for text, failed in (("lost " * 900, True), ("short", True), ("lost " * 900 + "end", False)):
        post = stage.noted[0][0] if stage.noted else None
        reply = stage.reply(post=post, fresh=post is None)
        await reply.working()
        await stage.stream(reply, text)
        await reply.finish(Reply(text="No answer." if failed else text, failed=failed))

    assert words(stage) == ["lost"] * 900 + ["end"]


async def test_edits_that_fail_wait_a_while(stage: Stage) -> None:
    """Trouble puts the next edit off; the model is not held up."""
    reply = stage.reply(fresh=True)
    await stage.stream(reply, PIECES[0])
    stage.server.faults.add(EDIT, "status", status=503)
    await stage.stream(reply, *PIECES[1:3])
    assert stage.shown == [PIECES[0].strip()]
    await stage.time.wait(RETRY_S - PACE_S)
    await stage.stream(reply, PIECES[3])

    assert stage.shown == [ANSWER]
    await reply.finish(Reply(text=ANSWER))
