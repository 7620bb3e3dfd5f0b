"""Refused publishers: a topic that is not there, and one whose policy does not let them publish."""

from collections.abc import Iterator, Sequence

from domain.arn import Arn
from domain.findings import Finding
from domain.trace import TraceCall, TraceSegment
from specialists.contract import Case, Rule, rule
from specialists.kit.change import Change
from specialists.kit.lastchange import by_whom, last_change
from specialists.kit.loglines import LogLines
from specialists.kit.overheard import began, cited, role_of
from specialists.kit.policies import Asked, Verdict, said
from specialists.sns.evidence import AlarmAction, TopicState
from specialists.sns.signs import Reading, Sign, signs

SEES = (TraceCall, TraceSegment, LogLines, AlarmAction, TopicState, Change)


@rule("sns-topic-not-found", sees=SEES)
def topic_is_missing(case: Case) -> Iterator[Finding]:
    """Publishers are told that the topic does not exist, or it does not exist and nobody reached it."""
    found, state = signs(case, Reading.NO_TOPIC), case.one(TopicState)
    gone = state is not None and not state.exists
    if not found and (not gone or signs(case) or case.calls_to(failed=False)):
        return
    deleted = last_change(case, "DeleteTopic")
    name = f"`{case.target.name}`"
    if state is not None and state.exists:
        sentence = f"{_count(found)} told that topic {name} does not exist, though it exists now"
    else:
        told = f"; {_count(found).lower()} told so" if found else ""
        sentence = f"Topic {name} does not exist in {case.target.region or 'this Region'}{told}{by_whom(deleted)}"
    yield case.hypothesis(
        "sns-topic-not-found",
        sentence,
        proof=(*cited(found), *([state] if gone and state else []), *deleted),
        against=[state] if state is not None and state.exists else (),
        since=began(found) or (deleted[0].observed_at if deleted else None),
    )


@rule("sns-publish-denied", sees=SEES)
def publisher_is_refused(case: Case) -> Iterator[Finding]:
    """A publisher is told that it may not publish; whether the topic's own policy is why, that policy tells."""
    found, state = signs(case, Reading.DENIED), case.one(TopicState)
    if not found:
        return
    callers_side = [sign for sign in found if sign.by_identity]
    here = [sign for sign in found if not sign.by_identity]
    stated = [sign for sign in here if sign.by_resource]
    verdict = _verdict(state, here[0]) if here and state is not None and state.exists else Verdict.UNCLEAR
    refusing = verdict is Verdict.DENIED or (verdict is Verdict.SILENT and _crosses(case, here[0]))
    decides = bool(stated) or refusing
    changed = last_change(case, "SetTopicAttributes", mentioning="attributename policy", before=began(here))
    changed = changed or last_change(case, "RemovePermission", before=began(here))
    roles = [role for sign in found if (role := role_of(sign.principal))]
    yield case.hypothesis(
        "sns-publish-denied",
        f"{_count(found)} refused: {_who(found[0])} may not publish to `{case.target.name}`"
        f"{_why(verdict, refusing=refusing, callers_side=bool(callers_side) and not here)}{by_whom(changed)}",
        proof=(*cited(stated or here), *([state] if refusing and state else [])) if decides else (),
        strong=(*(() if decides else cited(here)), *changed),
        weak=cited(callers_side),
        against=[state] if state is not None and verdict is Verdict.ALLOWED and not stated else (),
        since=began(found),
        # Where a policy of the role or of the topic is judged itself, that is the sharper cause.
        defers_to=(*roles, case.target.id),
    )


def _verdict(state: TopicState, sign: Sign) -> Verdict:
    """Say what the topic's policy says to the refused principal."""
    role = role_of(sign.principal)
    if not sign.principal:
        return Verdict.UNCLEAR
    account = Arn.parse(sign.principal).account
    name = role.rsplit("/", 1)[-1]
    roles = (f"AWS:{role}", f"AWS:arn:*:iam::{account}:role/*/{name}") if role else ()
    who = (f"AWS:{sign.principal}", f"AWS:{account}", f"AWS:arn:*:iam::{account}:root", *roles)
    context = {"aws:sourceowner": account, "aws:principalaccount": account, "aws:securetransport": "true"}
    return said(state.policy, Asked("sns:Publish", state.resource, who, context))


def _crosses(case: Case, sign: Sign) -> bool:
    """Tell whether the publisher is in another account, where the topic's policy must name it."""
    return bool(sign.principal) and Arn.parse(sign.principal).account != case.target.account


def _who(sign: Sign) -> str:
    if not sign.principal:
        return f"alarm `{sign.caller}`" if isinstance(sign.evidence, AlarmAction) else "the publisher"
    return f"`{(role_of(sign.principal) or sign.principal).rsplit('/', 1)[-1]}`"


def _why(verdict: Verdict, *, refusing: bool, callers_side: bool) -> str:
    if callers_side:
        return ", by a policy on its own side"
    if verdict is Verdict.DENIED:
        return ": the topic's policy explicitly denies it"
    return ", which is in another account and not in the topic's policy" if refusing else ""


def _count(found: Sequence[Sign]) -> str:
    return f"{len(found)} publishes were" if len(found) > 1 else "A publish was"


RULES: tuple[Rule, ...] = (topic_is_missing, publisher_is_refused)
