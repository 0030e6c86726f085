"""Reading what comes with messages of Slack: whose host, how much, which kinds, and what an alert says."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web as http

from bots.slack.errors import SlackRefusedError
from bots.slack.files import EMPTY, FORWARDED, SlackFiles, attachments_of, file_attachments
from bots.slack.ids import SlackThread
from bots.slack.inbound import BotIdentity, Said, SharedFile
from bots.slack.web import SlackWeb
from memory.attached import MAX_FILE_BYTES
from memory.model import ReadFile
from tests.fakes.slack.files import LOGIN_PAGE
from tests.fakes.slack_server import Channel, File, Message, Person, SlackServer, Team


@pytest.fixture
async def web(slack: SlackServer, team: Team) -> AsyncIterator[SlackWeb]:
    """The Web API, not very patient."""
    web = SlackWeb(team.state.bot_token, api_url=slack.url, timeout_s=0.5)
    yield web
    await web.close()


@pytest.fixture
def files(web: SlackWeb, team: Team) -> SlackFiles:
    """What is tested."""
    files = SlackFiles(web)
    files.bot = BotIdentity(user_id=team.state.bot.user_id, bot_id=str(team.state.bot.bot_id))
    return files


def shared(file: File) -> SharedFile:
    """Return a file as an event names it."""
    return SharedFile(
        file_id=file.file_id,
        name=file.name,
        mimetype=file.mimetype,
        filetype=file.filetype,
        size=len(file.content),
        url=f"{file.base_url}/files-pri/{file.team_id}-{file.file_id}/{file.name}",
    )


async def uploaded(ana: Person, general: Channel, name: str, content: str | bytes) -> tuple[File, str]:
    """Let Ana share a file; return it, and how it is read."""
    (file,) = (await ana.says(general, "look", files=[(name, content)])).files
    (attachment,) = file_attachments((shared(file),))
    return file, attachment.ref


def said(*, attached: str = "", files: tuple[SharedFile, ...] = ()) -> Said:
    """Return a mention in a thread."""
    return Said(
        channel="C1",
        user="U1",
        ts="2.0",
        thread=SlackThread("T1", "C1", "1.0"),
        text="look",
        mentions=(),
        attached=attached,
        files=files,
        is_mention=True,
        is_dm=False,
        addressed_to_other=False,
        user_team=None,
        edited_ts=None,
        is_copy=False,
    )


def test_what_comes_with_a_message_is_named_and_not_read_yet() -> None:
    """Files by their place, forwarded words as they are, and the post that began the thread."""
    file = SharedFile(file_id="F1", name="", mimetype="text/plain", filetype="log", size=3, url="https://files.x/1")
    found = attachments_of(said(attached="bob: prod is down", files=(file,)), may_follow_alert=True)

    assert [(each.name, each.text, each.is_file) for each in found] == [
        ("file", None, True),
        (FORWARDED, "bob: prod is down", False),
        ("alert", None, False),
    ]
    assert attachments_of(said(), may_follow_alert=False) == ()


async def test_a_text_file_is_read(files: SlackFiles, ana: Person, general: Channel) -> None:
    """Whatever its encoding, without colours for a terminal."""
    contents: list[tuple[str, str | bytes, str]] = [
        ("app.log", "ERROR boom\r\n\x1b[31mred\x1b[0m\n", "ERROR boom\nred"),
        ("pod.yaml", "  kind: Pod\n", "  kind: Pod"),
        ("old.txt", "caf\xe9".encode("cp1252"), "café"),
        ("win.txt", "größe".encode("utf-16"), "größe"),
        ("empty.log", "", EMPTY),
        ("plan", b"\xef\xbb\xbf+ resource", "+ resource"),
    ]
    for name, content, text in contents:
        _, ref = await uploaded(ana, general, name, content)

        assert await files.read(ref) == ReadFile(text=text)


@pytest.mark.parametrize(
    ("name", "content"),
    [("core.bin", b"\x7fELF\x02\x01"), ("shot.png", b"\x89PNG"), ("a.zip", b"PK\x03\x04"), ("app.log", b"a\x00b" * 99)],
)
async def test_a_binary_file_is_not_read(
    files: SlackFiles, ana: Person, general: Channel, name: str, content: bytes
) -> None:
    """By its kind without fetching it, or by its bytes."""
    file, ref = await uploaded(ana, general, name, content)

    assert await files.read(ref) is None
    assert bool(file.sent_bytes) == (name == "app.log")


async def test_a_log_of_unknown_type_is_read(files: SlackFiles, ana: Person, general: Channel) -> None:
    """Clients upload logs as a stream of bytes; the name tells."""
    (file,) = (await ana.says(general, "look", files=[("app.log", "boom")])).files
    file.mimetype, file.filetype = "application/octet-stream", "binary"
    (attachment,) = file_attachments((shared(file),))

    assert await files.read(attachment.ref) == ReadFile(text="boom")


async def test_of_a_large_file_the_beginning_is_read(files: SlackFiles, ana: Person, general: Channel) -> None:
    """The rest is not even sent; a character that is cut in two is left out."""
    file, ref = await uploaded(ana, general, "app.log", "é" * 20_000_000)

    read = await files.read(ref)

    assert read == ReadFile(text="é" * (MAX_FILE_BYTES // 2), is_whole=False)
    assert file.sent_bytes < len(file.content)


async def test_a_page_to_sign_in_is_no_file(files: SlackFiles, team: Team, ana: Person, general: Channel) -> None:
    """What Slack gives to a token without files:read; a page that somebody shares is a file."""
    _, log = await uploaded(ana, general, "app.log", "boom")
    _, page = await uploaded(ana, general, "page.html", "<html>Status of prod: red</html>")
    assert await files.read(page) == ReadFile(text="<html>Status of prod: red</html>")
    team.state.scopes.discard("files:read")

    assert [await files.read(log), await files.read(page)] == [None, None]
    assert "Sign in" in LOGIN_PAGE


@pytest.mark.parametrize(("status", "times"), [(500, 2), (429, 2), (404, 1), (302, 1), (403, 1)])
async def test_a_file_that_does_not_come_cannot_be_read(  # noqa: PLR0917  # pytest passes fixtures by name
    slack: SlackServer, files: SlackFiles, ana: Person, general: Channel, status: int, times: int
) -> None:
    """What may pass is asked for once more; what is refused or moved is not, and no redirect is followed."""
    _, ref = await uploaded(ana, general, "app.log", "boom")
    fault = slack.faults.add("files.download", "status", status=status, times=None)

    assert await files.read(ref) is None
    assert fault.hit == times


async def test_a_slow_file_is_not_waited_for(
    slack: SlackServer, files: SlackFiles, ana: Person, general: Channel
) -> None:
    """Nor one whose connection breaks; once it works again it is read."""
    _, ref = await uploaded(ana, general, "app.log", "boom")
    slack.faults.add("files.download", "hold", times=2)
    assert await files.read(ref) is None
    slack.release()
    slack.faults.add("files.download", "drop")

    assert await files.read(ref) == ReadFile(text="boom")


@pytest.mark.parametrize(
    "url",
    [
        "https://files.example.org/files-pri/T1-F1/app.log",
        "https://files.slack.com.example.org/x",
        "https://files.slack.com@example.org/x",
        "https://somebody@files.slack.com/x",
        "http://files.slack.com/x",
        "https://files.slack.com:8443/x",
        "file:///etc/passwd",
        "//files.slack.com/x",
        "not a url",
        "https://[::1/x",
    ],
)
async def test_the_token_goes_to_slack_alone(web: SlackWeb, url: str) -> None:
    """Nothing is sent to any other host, nor in the clear."""
    with pytest.raises(SlackRefusedError) as caught:
        await web.fetch(url, max_bytes=9)

    assert caught.value.code == "foreign_url"


async def test_another_host_hears_nothing(files: SlackFiles) -> None:
    """Not even that a file is wanted."""
    asked: list[str] = []

    async def answer(request: http.Request) -> http.Response:
        asked.append(request.path)
        return http.Response(text="boom")

    app = http.Application()
    app.router.add_get("/{tail:.*}", answer)
    runner = http.AppRunner(app)
    await runner.setup()
    await http.TCPSite(runner, "127.0.0.1", 0).start()

    read = await files.read(f"file:F1:text:http://127.0.0.1:{runner.addresses[0][1]}/app.log")

    await runner.cleanup()
    assert (read, asked) == (None, [])


async def test_an_alert_is_read(files: SlackFiles, team: Team, general: Channel) -> None:
    """Its words may stand in attachments alone, whether it was posted by an app or by a webhook."""
    alert = {"title": "[FIRING] api-7f9c restarts", "text": "5 times in 10 min"}
    bot = team.other_bot("alertmanager")
    for subtype in ("bot_message", None):
        post = await team.bot_posts(bot, general, attachments=[alert], subtype=subtype)

        assert await files.read(_of(team, post)) == ReadFile(text="[FIRING] api-7f9c restarts\n5 times in 10 min")


async def test_only_posts_of_the_workspaces_own_apps_are_read(
    files: SlackFiles, team: Team, ana: Person, general: Channel
) -> None:
    """Nothing of people, of other workspaces' apps, of Recall itself, and of what is gone."""
    foreign = team.other_bot("visitor")
    foreign.team_id = "T0OTHER"
    gone = await team.bot_posts(team.other_bot("deployer"), general, "deployed")
    gone.deleted = True
    posts = [
        gone,
        await ana.says(general, "my words"),
        await team.bot_posts(foreign, general, "their words"),
        await team.bot_posts(foreign, general, "their words", subtype=None),
        await team.bot_posts(team.state.bot, general, "my own words", subtype=None),
    ]

    assert [await files.read(_of(team, post)) for post in posts] == [ReadFile(text="")] * len(posts)


async def test_an_app_that_posts_as_a_person_is_not_read(
    slack: SlackServer, files: SlackFiles, team: Team, ana: Person, general: Channel
) -> None:
    """The post names a bot, and the person whose words they are."""
    post = await team.bot_posts(team.other_bot("giphy"), general, "my words", subtype=None)
    post.author.user_id = ana.user_id

    assert await files.read(_of(team, post)) == ReadFile(text="")
    assert slack.calls_of("users.info")


async def test_anything_else_is_not_read(files: SlackFiles) -> None:
    """Such as what another release, or another platform, has named."""
    for ref in ("", "file:F1", "file:F1:binary:", "message:T1", "discord:1:2:3"):
        assert await files.read(ref) is None


def _of(team: Team, post: Message) -> str:
    return f"message:{team.team_id}:{post.channel_id}:{post.ts}"
