"""`recall run` itself, as people start it: two tokens and a model's URL, a restart, a kill, and a terminated socket."""

import asyncio
import os
import shutil
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from memory.clock import SystemClock
from tests.fakes.anthropic_server import Answer, AnthropicServer, Fault, Json
from tests.fakes.slack_server import Person, SlackServer, Team

pytestmark = pytest.mark.timeout(280)
_ROOT = Path(__file__).parents[2]
_PATIENCE_S = 60
_CLUSTER = "blue-heron-42"


@dataclass
class Bot:
    """`recall run` on one data folder, with nothing set but tokens, the model, Slack's URL, and a quick sweep."""

    slack: SlackServer
    team: Team
    model: AnthropicServer
    environ: dict[str, str]
    running: list[Process] = field(default_factory=list)

    async def start(self) -> Process:
        """Start it and wait until Slack has its connection."""
        before = list(self.slack.socket.connections)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bots", "run", env=self.environ, stdout=PIPE, stderr=PIPE
        )
        self.running.append(process)
        await self.slack.until(
            lambda: any(each not in before for each in self.slack.socket.connections), within_s=_PATIENCE_S
        )
        return process

    async def learned(self, person: Person) -> None:
        """Wait until `/memories` shows a person something: the sweep has come by."""
        async with asyncio.timeout(_PATIENCE_S):
            while _CLUSTER not in (await person.slash("/memories", "", person.dm)).text:
                await asyncio.sleep(0.2)

    async def end(self, process: Process) -> str:
        """Terminate it, wait until it has ended, and return what it wrote to standard error."""
        process.terminate()
        _, err = await asyncio.wait_for(process.communicate(), _PATIENCE_S)
        assert process.returncode == 0, err.decode()
        return err.decode()


def says_what_it_was_given(body: Json) -> Answer:
    """Answer a question with the remembered text in the request, and learn the cluster's name when asked to extract."""
    text = str(body)
    if body.get("stream"):
        return Answer(text=f"It is {_CLUSTER}." if _CLUSTER in text else "I do not know.")
    learned = (
        '{"facts": [{"operation": "add", "label": null, "subject": "A", "kind": "other",'
        f' "text": "Ana\'s staging cluster is called {_CLUSTER}.", "messages": [1]}}], "episode": null}}'
    )
    return Answer(text=learned if _CLUSTER in text else '{"facts": [], "episode": null}')


@pytest_asyncio.fixture
async def bot(tmp_path: Path, models_dir: Path) -> AsyncIterator[Bot]:
    """Yield the bot, not started, where the embedding model was exported before; what still runs is killed."""
    data_dir = tmp_path / "data"
    data_dir.mkdir(mode=0o700)
    shutil.copytree(models_dir, data_dir / "models", copy_function=os.link)
    async with AsyncExitStack() as stack:
        model = await stack.enter_async_context(AnthropicServer(script=says_what_it_was_given))
        slack = await stack.enter_async_context(SlackServer(now=lambda: SystemClock().now().timestamp()))
        team = slack.team("acme")
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "PYTHONPATH": str(_ROOT),
            "SLACK_BOT_TOKEN": team.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_API_URL": slack.url,
            "ANTHROPIC_API_KEY": "sk-test",
            "ANTHROPIC_BASE_URL": model.url,
            "RECALL_DATA_DIR": str(data_dir),
            "RECALL_IDLE_AFTER_S": "0.5",
            "RECALL_SWEEP_EVERY_S": "0.5",
        }
        bot = Bot(slack, team, model, environ)
        yield bot
        model.release()
        slack.release()
        for process in bot.running:
            if process.returncode is None:
                process.kill()
                await process.communicate()


async def test_a_fact_from_a_dm_is_recalled_there_after_a_restart_and_nowhere_else(bot: Bot) -> None:
    """Thread memory, a restart, the idle sweep, a new thread; other people, channels and workspaces get nothing."""
    ana, bob = bot.team.user("ana"), bot.team.user("bob")
    ops = bot.team.channel("ops", ana, bob)
    process = await bot.start()
    first = bot.team.thread(await ana.says(ana.dm, f"My staging cluster is called {_CLUSTER}."))
    await first.until_answers(1)
    await bot.end(process)
    await bot.start()
    await ana.says(ana.dm, "What did I just tell you?", thread=first)
    await first.until_answers(2)
    await bot.learned(ana)
    fresh = bot.team.thread(await ana.says(ana.dm, "What is my staging cluster called?"))
    await fresh.until_answers(1)
    others = [
        bot.team.thread(await bob.says(bob.dm, "What is the staging cluster called?")),
        bot.team.thread(await ana.says(ops, "@recall what is my staging cluster called?")),
    ]
    for thread in others:
        await thread.until_answers(1)

    assert [answer.shown for answer in first.answers][1] == f"It is {_CLUSTER}."
    assert _CLUSTER in fresh.answers[0].shown
    assert [thread.answers[0].shown for thread in others] == ["I do not know."] * 2
    assert bot.slack.refusals == []
    assert bot.model.refused == []


async def test_a_kill_during_the_model_call_costs_nothing(bot: Bot) -> None:
    """Started again, it answers once, in the thread it was asked in."""
    ana = bot.team.user("ana")
    ops = bot.team.channel("ops", ana)
    process = await bot.start()
    bot.model.will_fail(Fault(kind="hang"))
    thread = bot.team.thread(await ana.says(ops, "@recall is prod up?"))
    await bot.model.wait_for_requests(1)
    process.kill()
    await process.communicate()
    await bot.start()
    await thread.until_answers(1, within_s=_PATIENCE_S)

    assert [answer.shown for answer in thread.answers] == ["I do not know."]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SLACK_BOT_TOKEN", "xoxb-wrong", "SLACK_BOT_TOKEN"),
        ("SLACK_APP_TOKEN", "xapp-wrong", "SLACK_APP_TOKEN"),
        ("SLACK_API_URL", "http://127.0.0.1:9/api/", "Slack cannot be reached"),
    ],
)
async def test_what_slack_refuses_is_one_line_and_exit_code_2(bot: Bot, name: str, value: str, words: str) -> None:
    """No traceback, and no loop of restarts."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bots", "run", env=bot.environ | {name: value}, stdout=PIPE, stderr=PIPE
    )
    bot.running.append(process)
    _, err = await asyncio.wait_for(process.communicate(), _PATIENCE_S)

    assert process.returncode == 2
    assert words in err.decode()
    assert "Traceback" not in err.decode()
