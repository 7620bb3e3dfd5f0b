"""Who and what there is in the local Slack: users, channels, our app and its manifest's scopes and events."""

from collections.abc import Iterable
from dataclasses import dataclass, field

SCOPES = frozenset(
    {
        "app_mentions:read",
        "channels:history",
        "groups:history",
        "im:history",
        "channels:read",
        "groups:read",
        "chat:write",
        "commands",
        "files:write",
        "reactions:write",
        "users:read",
    }
)
EVENTS = frozenset({"app_home_opened", "app_mention", "message.channels", "message.groups", "message.im"})
SLACKBOT = "USLACKBOT"


@dataclass(frozen=True, slots=True)
class User:
    """A person or a bot user. A guest has `restricted`; someone of another team is a stranger to ours."""

    id: str
    name: str
    real_name: str
    team: str
    is_bot: bool = False
    restricted: bool = False


@dataclass(slots=True)
class Channel:
    """A conversation and who is in it; `shared` is one that another team takes part in (Slack Connect)."""

    id: str
    name: str
    private: bool = False
    shared: bool = False
    archived: bool = False
    members: set[str] = field(default_factory=set)

    @property
    def kind(self) -> str:
        """Slack's channel_type: channel, group or im."""
        return "im" if self.id.startswith("D") else "group" if self.private else "channel"


@dataclass(frozen=True, slots=True)
class App:
    """Our app as installed: its bot user, tokens and signing secret."""

    id: str = "A0RCA"
    name: str = "RCA"
    bot_id: str = "B0RCA"
    bot_user: str = "U0RCA"
    bot_token: str = "xoxb-local-rca"
    app_token: str = "xapp-1-local-rca"
    signing_secret: str = "8f742231b10e8888abcd99yyyzzz85a5"


@dataclass(slots=True)
class Workspace:
    """One team with its people and channels."""

    team: str
    domain: str
    app: App
    users: dict[str, User]
    channels: dict[str, Channel]

    def direct(self, user: str) -> Channel:
        """Return the direct-message channel between the user and our bot, opened on first use."""
        name = f"D{user[1:]}"
        return self.channels.setdefault(name, Channel(name, "directmessage", members={user, self.app.bot_user}))

    def find(self, reference: str) -> Channel | None:
        """Return a channel by id, by name (with or without #), or the direct channel of a user id."""
        if reference in self.users:
            return self.direct(reference)
        name = reference.removeprefix("#")
        named = (channel for channel in self.channels.values() if channel.name == name and channel.kind != "im")
        return self.channels.get(reference) or next(named, None)

    def has_bot(self, channel: Channel) -> bool:
        """Tell whether our bot is in the channel."""
        return self.app.bot_user in channel.members


def workspace(users: Iterable[User] = (), channels: Iterable[Channel] = (), app: App | None = None) -> Workspace:
    """Return the default team "acme", with more people and channels if given.

    People: U0MIA and U0TOM (members), U0GUS (a guest), U0SAM (of another team), U0RCA (our bot).
    Channels with the bot: #alerts, #orders, #war-room (private), #partners (shared with the other team).
    Without it: #general, #hr (private).
    """
    ours = app or App()
    team, other = "T0ACME", "T0OTHER"
    people = (
        User("U0MIA", "mia", "Mia Moreno", team),
        User("U0TOM", "tom", "Tom Okafor", team),
        User("U0GUS", "gus", "Gus Guest", team, restricted=True),
        User("U0SAM", "sam", "Sam Stranger", other),
        User(ours.bot_user, ours.name.lower(), ours.name, team, is_bot=True),
        User(SLACKBOT, "slackbot", "Slackbot", team, is_bot=True),
        *users,
    )
    staff = {"U0MIA", "U0TOM"}
    rooms = (
        Channel("C0ALERTS", "alerts", members=staff | {ours.bot_user}),
        Channel("C0ORDERS", "orders", members=staff | {"U0GUS", ours.bot_user}),
        Channel("C0WAR", "war-room", private=True, members=staff | {ours.bot_user}),
        Channel("C0PARTNERS", "partners", shared=True, members=staff | {"U0SAM", ours.bot_user}),
        Channel("C0GENERAL", "general", members=set(staff)),
        Channel("C0HR", "hr", private=True, members={"U0TOM"}),
        *channels,
    )
    return Workspace(team, "acme", ours, {user.id: user for user in people}, {room.id: room for room in rooms})
