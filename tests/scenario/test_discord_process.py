"""`recall run` itself in Discord, as people start it: a token and a model's URL, a restart, a kill, what is refused."""

import json

import pytest

from tests.fakes.anthropic_server import Fault
from tests.fakes.discord_server import Channel, Message, Person
from tests.fixtures.discord_process import DiscordBot
from tests.fixtures.process import CLUSTER, PATIENCE_S, says_what_it_was_given

pytestmark = pytest.mark.timeout(280)
_DUNNO = "I do not know."


def first_lines(channel: Channel) -> list[str]:
    """Return each answer without its notices."""
    return [answer.shown.splitlines()[0] for answer in channel.answers]


async def asked(person: Person, channel: Channel, question: str) -> Channel:
    """Ask Recall something in a channel; return the thread with its answer."""
    message: Message = await person.says(channel, f"@recall {question}")
    thread = await channel.until_thread(message, within_s=PATIENCE_S)
    await thread.until_answers(1, within_s=PATIENCE_S)
    return thread


async def test_what_is_said_in_a_server_is_recalled_there_after_a_restart_and_nowhere_else(
    discord_bot: DiscordBot,
) -> None:
    """Thread memory, a restart, the idle sweep, a new thread; no fact for others, nothing in DMs and other servers."""
    discord_bot.model.answers_by(says_what_it_was_given)
    guild, other = discord_bot.guild, discord_bot.discord.guild("beta")
    ana, bob = guild.user("ana"), guild.user("bob")
    other.user("ana")
    ops, lounge = guild.channel("ops"), other.channel("lounge")
    process = await discord_bot.start()
    first = await asked(ana, ops, f"My staging cluster is called {CLUSTER}.")
    await discord_bot.end(process)
    await discord_bot.start()
    await ana.says(first, "@recall What did I just tell you?")
    await first.until_answers(2, within_s=PATIENCE_S)
    await discord_bot.learned()
    fresh = await asked(ana, guild.channel("dev"), "What is my staging cluster called?")
    await asked(bob, ops, "What is my staging cluster called?")
    given_to_bob = str(discord_bot.model.received[-1].body)
    elsewhere = await asked(ana, lounge, "What is my staging cluster called?")
    await ana.says(ana.dm, "What is my staging cluster called?")
    await ana.dm.until_answers(1, within_s=PATIENCE_S)

    assert first_lines(first)[1] == f"It is {CLUSTER}."
    assert first_lines(fresh) == [f"It is {CLUSTER}."]
    assert "message | Ana" in given_to_bob and "fact | Ana" not in given_to_bob  # he could read along, and that is all
    assert [first_lines(each) for each in (elsewhere, ana.dm)] == [[_DUNNO]] * 2
    assert CLUSTER not in elsewhere.text + ana.dm.text
    assert discord_bot.discord.refusals == []
    assert discord_bot.discord.pings == []
    assert discord_bot.model.refused == []


async def test_a_direct_message_is_recalled_there_after_a_restart_and_in_no_server(discord_bot: DiscordBot) -> None:
    """What is learned from it is for that person's direct messages."""
    discord_bot.model.answers_by(says_what_it_was_given)
    ana, bob = discord_bot.guild.user("ana"), discord_bot.guild.user("bob")
    process = await discord_bot.start()
    await ana.says(ana.dm, f"My staging cluster is called {CLUSTER}.")
    await ana.dm.until_answers(1, within_s=PATIENCE_S)
    await discord_bot.learned()
    await discord_bot.end(process)
    await discord_bot.start()
    await ana.says(ana.dm, "What did I just tell you?")
    await ana.dm.until_answers(2, within_s=PATIENCE_S)
    in_server = await asked(ana, discord_bot.guild.channel("ops"), "What is my staging cluster called?")
    await bob.says(bob.dm, "What is the staging cluster called?")
    await bob.dm.until_answers(1, within_s=PATIENCE_S)

    assert first_lines(ana.dm)[1] == f"It is {CLUSTER}."
    assert [first_lines(each) for each in (in_server, bob.dm)] == [[_DUNNO]] * 2
    assert discord_bot.discord.refusals == []


async def test_a_start_warns_of_nothing(discord_bot: DiscordBot) -> None:
    """What nobody can change is no news; and it counts its socket, and is ready and alive."""
    process = await discord_bot.start()
    await discord_bot.ready()
    connected, alive = await discord_bot.measured(), await discord_bot.asks("/healthz")
    await discord_bot.end(process)
    events = [json.loads(line) for line in (discord_bot.folder / "0.log").read_text().splitlines()]

    assert [event for event in events if event["level"] != "info"] == []
    assert connected["recall_platform_socket_connected discord 0"] == 1
    assert alive.status == 200


async def test_a_kill_during_the_model_call_costs_nothing(discord_bot: DiscordBot) -> None:
    """Started again, it answers once, in the thread of the message."""
    discord_bot.model.answers_by(says_what_it_was_given)
    ana, ops = discord_bot.guild.user("ana"), discord_bot.guild.channel("ops")
    process = await discord_bot.start()
    discord_bot.model.will_fail(Fault(kind="hang"))
    message = await ana.says(ops, "@recall is prod up?")
    await discord_bot.model.wait_for_requests(1)
    process.kill()
    await process.wait()
    await discord_bot.start()
    thread = await ops.until_thread(message, within_s=PATIENCE_S)
    await thread.until_shows(_DUNNO, within_s=PATIENCE_S)

    assert first_lines(thread) == [_DUNNO]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("DISCORD_TOKEN", "MTIz.wrong.wrong", "DISCORD_TOKEN: Discord refuses it"),
        ("DISCORD_TOKEN", "Bot MTIz.wrong.wrong", "DISCORD_TOKEN begins with a word"),
        ("DISCORD_FOLLOW_UP", "true", "DISCORD_FOLLOW_UP=true needs the Message Content intent"),
    ],
)
async def test_what_discord_refuses_is_one_line_and_exit_code_2(
    discord_bot: DiscordBot, name: str, value: str, words: str
) -> None:
    """No traceback, nothing else opened, and no session spent, so that a loop of restarts would cost none either."""
    code, _, err = await discord_bot.runs("run", **{name: value})

    assert code == 2
    assert len([line for line in err.splitlines() if line.startswith("recall: ")]) == 1
    assert words in err
    assert "Traceback" not in err
    assert not (discord_bot.folder / "data" / "recall.db").exists()
    assert discord_bot.discord.gateway.identifies == []


async def test_platforms_out_of_reach_are_a_line_each_and_an_exit_code_to_start_again_on(
    discord_bot: DiscordBot,
) -> None:
    """Nobody has to mend anything: 75, which the supervisors in the README restart."""
    code, _, err = await discord_bot.runs(
        "run",
        DISCORD_API_URL="http://127.0.0.1:9/api/v10",
        SLACK_API_URL="http://127.0.0.1:9/api/",
        SLACK_BOT_TOKEN="xoxb-1",
        SLACK_APP_TOKEN="xapp-1",
    )

    assert code == 75
    assert [line for line in err.splitlines() if line.startswith("recall: ")] == [
        "recall: Slack cannot be reached: slack: auth.test got no answer (connection refused).",
        "recall: Discord cannot be reached: connection refused.",
    ]
    assert "Traceback" not in err
    assert not (discord_bot.folder / "data" / "recall.db").exists()


async def test_a_token_that_is_reset_ends_the_process(discord_bot: DiscordBot) -> None:
    """Nothing will pass until somebody sets the new one: one line and exit code 2, and no session is begun again."""
    process = await discord_bot.start()
    discord_bot.discord.reset_token()
    await process.wait()

    assert process.returncode == 2
    last = (discord_bot.folder / "0.log").read_text().splitlines()[-1]
    assert last.startswith("recall: DISCORD_TOKEN: Discord refuses it")
    assert len(discord_bot.discord.gateway.identifies) <= 2


async def test_what_is_said_in_a_private_channel_stays_there(discord_bot: DiscordBot) -> None:
    """A new thread there knows it; the same person in an open channel, and others there, are told nothing."""
    discord_bot.model.answers_by(says_what_it_was_given)
    ana, bob = discord_bot.guild.user("ana"), discord_bot.guild.user("bob")
    vault, ops = discord_bot.guild.channel("vault", ana, private=True), discord_bot.guild.channel("ops")
    await discord_bot.start()
    await asked(ana, vault, f"My staging cluster is called {CLUSTER}.")
    await discord_bot.learned()
    there = await asked(ana, vault, "What is my staging cluster called?")
    in_the_open = [await asked(each, ops, "What is my staging cluster called?") for each in (ana, bob)]

    assert first_lines(there) == [f"It is {CLUSTER}."]
    assert [first_lines(each) for each in in_the_open] == [[_DUNNO]] * 2
