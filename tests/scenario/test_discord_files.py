"""What comes with messages in Discord: files, what was forwarded, and alerts that began a thread."""

import pytest

from memory.attached import MAX_FILE_BYTES, shown_text
from tests.fakes.discord_server import Person, lifecycle
from tests.fixtures.discord import DiscordMachine, DiscordProcess
from tests.fixtures.discord_memory import holding

pytestmark = pytest.mark.timeout(120)

LOG = "2026-11-02T09:41:40Z ERROR stock for zanzibar is gone\n  at com.acme.Stock.take(Stock.java:42)"
LEAKED = "AKIAIOSFODNN7EXAMQLE"


def seen(process: DiscordProcess) -> str:
    """Return the message that the model was asked about last, with what came with it."""
    return shown_text(process.model.asked[-1].message)


async def asked(process: DiscordProcess, ana: Person, name: str, content: str | bytes) -> str:
    """Let somebody share a file and be answered; return what the model saw."""
    before = len(ana.dm.finished)
    await ana.says(ana.dm, "why?", files=[(name, content)])
    await ana.dm.until_answers(before + 1)
    return seen(process)


async def test_a_text_file_is_read(discord: DiscordMachine) -> None:
    """In a thread and in direct messages; secrets in it are neither shown to the model nor kept."""
    process = await discord.start()
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    thread = await ops.until_thread(
        await ana.says(ops, "@recall why?", files=[("app.log", f"{LOG}\nAWS_ACCESS_KEY_ID={LEAKED}")])
    )
    await thread.until_answers(1)

    assert "stock for zanzibar is gone" in seen(process)
    assert LEAKED not in seen(process)
    assert await holding(discord, LEAKED) == []
    assert "stock for zanzibar is gone" in await asked(process, ana, "app.log", LOG)


async def test_another_process_reads_it_by_a_fresh_address(discord: DiscordMachine) -> None:
    """The message was accepted by one that is gone, and the address that came with it has expired."""
    first = await discord.start()
    ana = discord.guild.user("ana")
    first.model.gate.clear()
    await ana.says(ana.dm, "hello")
    await first.model.waiting.wait()
    await ana.says(ana.dm, "why?", files=[("app.log", LOG)])
    await ana.dm.until(lambda here: "Queued" in here.text)
    await first.kill()
    discord.clock.advance(2 * 86_400)
    second = await discord.start()
    await ana.dm.until_answers(2)

    assert "stock for zanzibar is gone" in seen(second)


async def test_what_is_no_text_is_named_alone(discord: DiscordMachine) -> None:
    """The model knows that there is something, and that it was not read."""
    process = await discord.start()
    shown = await asked(process, discord.guild.user("ana"), "core.bin", bytes(range(256)) * 20)

    assert "core.bin" in shown
    assert "\x01" not in shown


async def test_of_a_large_file_only_the_beginning_is_read(discord: DiscordMachine) -> None:
    """However large it is; people are told so by what the model sees."""
    process = await discord.start()
    await asked(process, discord.guild.user("ana"), "app.log", "INFO all is well\n" * (MAX_FILE_BYTES // 8))
    [attached] = process.model.asked[-1].message.attachments

    assert attached.text
    assert not attached.is_whole


@pytest.mark.parametrize("kind", ["status", "drop"])
async def test_a_file_that_cannot_be_fetched_holds_up_no_answer(discord: DiscordMachine, kind: str) -> None:
    """Discord's network for files is out of order."""
    process = await discord.start()
    discord.server.faults.add("GET /attachments/*", kind, status=404, times=None)  # type: ignore[arg-type]  # a name of one
    shown = await asked(process, discord.guild.user("ana"), "app.log", LOG)

    assert "app.log" in shown
    assert "zanzibar" not in shown


async def test_a_file_of_a_deleted_message_is_not_read(discord: DiscordMachine) -> None:
    """It was deleted while it waited for its turn, so there is nothing to answer."""
    process = await discord.start()
    ana, zoe = discord.guild.user("ana"), discord.guild.user("zoe")
    process.model.gate.clear()
    await ana.says(ana.dm, "hello")
    await process.model.waiting.wait()
    said = await ana.says(ana.dm, "why?", files=[("app.log", LOG)])
    await ana.dm.until(lambda here: "Queued" in here.text)
    lifecycle.delete(discord.server.world, said)
    await zoe.says(zoe.dm, "anything")
    await discord.server.until(lambda: len(process.model.asked) == 2)
    process.model.gate.set()
    await process.platform.idle()

    assert len(process.model.asked) == 2
    assert await holding(discord) == []


@pytest.mark.parametrize("who", ["bot", "webhook", "person"])
async def test_the_alert_that_began_a_thread_is_known(discord: DiscordMachine, who: str) -> None:
    """Of another bot or a webhook, embeds included; what a person said there is nobody's to pass on."""
    process = await discord.start(follow_up=True)
    ana, ops = discord.guild.user("ana"), discord.guild.channel("ops")
    if who == "person":
        alert = await discord.guild.user("bob").says(ops, "api-7f9c CrashLoopBackOff in zanzibar")
    else:
        speaker = discord.guild.other_bot() if who == "bot" else discord.guild.webhook()
        alert = await speaker.says(ops, embeds=[{"title": "[FIRING:1] api-7f9c", "description": "CrashLoopBackOff"}])
    thread = await ana.starts_thread(ops, "alert", message=alert)
    await ana.says(thread, "@recall what is this?")
    await thread.until_answers(1)

    assert ("CrashLoopBackOff" in seen(process)) is (who != "person")
