"""A server that speaks Discord's REST API and gateway, checks what it is sent, and fails on demand.

This is its public face; the parts are in `tests/fakes/discord/`.

`python -m tests.fakes.discord_server --port 8091` runs it alone with one small guild, to try the product by hand.
"""

from tests.fakes.discord import lifecycle
from tests.fakes.discord.errors import ApiError
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.guild import Guild
from tests.fakes.discord.modals import Modal
from tests.fakes.discord.model import DiscordRefusesError, File, Member, Message, Role, User
from tests.fakes.discord.person import Person
from tests.fakes.discord.places import Channel
from tests.fakes.discord.prompt import main
from tests.fakes.discord.rest.faults import Fault, FaultKind, Faults
from tests.fakes.discord.seen import Seen
from tests.fakes.discord.server import DiscordServer
from tests.fakes.discord.sessions import Connection, Session
from tests.fakes.discord.speaker import Speaker
from tests.fakes.discord.world import Interaction, Received, Refusal

__all__ = [
    "ApiError",
    "Channel",
    "Connection",
    "DiscordRefusesError",
    "DiscordServer",
    "Fault",
    "FaultKind",
    "Faults",
    "File",
    "Gateway",
    "Guild",
    "Interaction",
    "Member",
    "Message",
    "Modal",
    "Person",
    "Received",
    "Refusal",
    "Role",
    "Seen",
    "Session",
    "Speaker",
    "User",
    "lifecycle",
]

if __name__ == "__main__":
    main()
