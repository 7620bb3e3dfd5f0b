"""What becomes of a message: whether it starts an investigation, which alarm it tells of, and why.

Only an alarm that goes to ALARM, told by an app that counts, in a post of its own, starts one. Every refusal is a rule
with its reason in words, the first that applies is the one told.
"""

from collections.abc import Callable, Collection
from typing import NamedTuple

from bot.alarms.flatten import Origin, Post, flattened, said
from bot.alarms.formats import Reading, read
from bot.alarms.keys import Fact
from domain.alarm import AlarmReference, AlarmState
from domain.values import JsonObject

MAIL_BOT = "USLACKBOT"
"""Who posts the mails that are sent to a channel."""
POSTS = frozenset({"", "bot_message", "file_share", "thread_broadcast"})
"""Subtypes of messages that say something; the others are notices: https://docs.slack.dev/reference/events/message."""


class AlarmPolicy(NamedTuple):
    """Which apps' posts in which channels count: ids of apps or bots, ids of channels; an empty set is any."""

    apps: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()


EVERY_APP = AlarmPolicy()
"""The default: any app's post in any channel that the bot was invited to."""


class Judged(NamedTuple):
    """The verdict. `alarm` is told also where nothing starts: OK and edits belong to an investigation that runs."""

    starts: bool
    alarm: AlarmReference | None
    why: str


class Case(NamedTuple):
    """What a rule judges by. `own` are the ids of our user and bot: an app's webhooks have ids of their own."""

    post: Post
    reading: Reading
    own: Collection[str]
    policy: AlarmPolicy


class Rule(NamedTuple):
    """A reason to start nothing; `silent`: what the message says of an alarm is not to be believed either."""

    applies: Callable[[Case], bool]
    why: Callable[[Case], str]
    silent: bool = False


def _wrote_it(case: Case) -> bool:
    return bool({case.post.bot, case.post.app, case.post.user} & set(case.own) - {""})


def _by_a_person(case: Case) -> bool:
    post = case.post
    by_app = bool(post.bot or post.app) or post.subtype == "bot_message"
    return post.typed or not (by_app or (post.mail and post.user == MAIL_BOT))


def _is_answered_mail(case: Case) -> bool:
    return any(subject.lower().startswith(("re:", "aw:", "sv:", "rv:")) for subject in said(case.post, Origin.SUBJECT))


def _is_other_app(case: Case) -> bool:
    return bool(case.policy.apps) and not {case.post.app, case.post.bot, case.post.user} & case.policy.apps


def _unread(case: Case) -> str:
    name = case.reading.facts.get(Fact.NAME)
    if name is None:
        return "it names no CloudWatch alarm"
    return f"it names the alarm {name.value} but tells no state that it went to"


def _other_state(case: Case) -> str:
    states = " and ".join(told.value.value for told in case.reading.doubt)
    state = case.reading.facts[Fact.STATE].value.value
    return f"its state is {state}{f' (it tells {states} too, which is not believed)' if states else ''}"


RULES: tuple[Rule, ...] = (
    Rule(lambda c: c.post.type != "message", lambda _: "it is not a message", silent=True),
    Rule(lambda c: c.post.subtype == "message_deleted", lambda _: "an earlier message was deleted", silent=True),
    Rule(lambda c: c.post.edit, lambda _: "it is an edit of an earlier message"),
    Rule(lambda c: c.post.subtype not in POSTS, lambda c: f"it is a notice of Slack ({c.post.subtype})", silent=True),
    Rule(lambda c: c.post.hidden, lambda _: "it is hidden", silent=True),
    Rule(_wrote_it, lambda _: "the bot wrote it itself", silent=True),
    Rule(_by_a_person, lambda _: "a person wrote it", silent=True),
    Rule(_is_answered_mail, lambda _: "it is an answer to a mail", silent=True),
    Rule(lambda c: c.post.channel_type in {"im", "mpim", "app_home"}, lambda _: "it is a direct message", silent=True),
    Rule(
        lambda c: bool(c.policy.channels) and c.post.channel not in c.policy.channels,
        lambda c: f"its channel ({c.post.channel or 'not told'}) is not among those that count",
        silent=True,
    ),
    Rule(
        _is_other_app,
        lambda c: f"its app ({c.post.app or c.post.bot or 'not told'}) is not among those that count",
        silent=True,
    ),
    Rule(lambda c: c.post.thread not in {"", c.post.ts}, lambda _: "it is a reply in a thread"),
    Rule(lambda c: c.reading.alarm is None, _unread),
    Rule(lambda c: c.reading.alarm is not None and c.reading.alarm.state is not AlarmState.ALARM, _other_state),
)
"""In order; for a message that none of them applies to, an investigation starts."""


def judged(event: JsonObject, *, own_bot: Collection[str] = (), policy: AlarmPolicy = EVERY_APP) -> Judged:
    """Judge a message event, with its envelope or without; never raises, whatever the event holds."""
    return judgement(case_of(event, own_bot, policy))


def case_of(event: JsonObject, own_bot: Collection[str], policy: AlarmPolicy) -> Case:
    """Read an event."""
    post = flattened(event)
    return Case(post, read(post), own_bot, policy)


def judgement(case: Case) -> Judged:
    """Apply the rules to a message that was read."""
    against = [rule for rule in RULES if rule.applies(case)]
    alarm = None if any(rule.silent for rule in against) else case.reading.alarm
    if against:
        return Judged(starts=False, alarm=alarm, why=against[0].why(case))
    return Judged(starts=True, alarm=alarm, why=f"the alarm {alarm.name} went to ALARM" if alarm else "")
