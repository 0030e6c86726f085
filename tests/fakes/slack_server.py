"""A server that speaks Slack's Web API and Socket Mode, checks what it is sent, and fails on demand.

This is its public face; the parts are in `tests/fakes/slack/`.

`python -m tests.fakes.slack_server --port 8090` runs it alone with one small workspace, to try the product by hand.
"""

from tests.fakes.slack import lifecycle
from tests.fakes.slack.channel import Channel
from tests.fakes.slack.deliveries import Connection, Delivery
from tests.fakes.slack.faults import Fault, FaultKind, Faults
from tests.fakes.slack.model import ApiError, File, Message, SlackRefusesError, User, View
from tests.fakes.slack.person import Person
from tests.fakes.slack.prompt import main
from tests.fakes.slack.seen import Seen
from tests.fakes.slack.server import SlackServer
from tests.fakes.slack.socket_mode import SocketMode
from tests.fakes.slack.team import Team
from tests.fakes.slack.thread import Thread
from tests.fakes.slack.world import MassMention, Received, Refusal

__all__ = [
    "ApiError",
    "Channel",
    "Connection",
    "Delivery",
    "Fault",
    "FaultKind",
    "Faults",
    "File",
    "MassMention",
    "Message",
    "Person",
    "Received",
    "Refusal",
    "Seen",
    "SlackRefusesError",
    "SlackServer",
    "SocketMode",
    "Team",
    "Thread",
    "User",
    "View",
    "lifecycle",
]

if __name__ == "__main__":
    main()
