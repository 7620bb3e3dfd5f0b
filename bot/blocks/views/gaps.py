"""Could not check: each gap with what closes it, and one policy statement that grants all that was denied."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from bot.blocks import ids
from bot.blocks.message import SECTION, Block, context, divider, preformatted, section, sections
from bot.blocks.names import Names
from bot.blocks.reasoning import by_use, unseen_line
from bot.blocks.text import plain, prose
from bot.blocks.views.modal import View, modal
from bot.blocks.words import SEPARATOR
from domain.arn import Arn
from domain.gap import Gap, GapReason
from domain.report import Report

SHOWN = 40

WHY: dict[GapReason, str] = {
    GapReason.ACCESS_DENIED: ":lock: access denied",
    GapReason.NOT_FOUND: ":mag: not found",
    GapReason.THROTTLED: ":snail: throttled by AWS",
    GapReason.TIMED_OUT: ":stopwatch: timed out",
    GapReason.FAILED: ":x: failed",
    GapReason.NO_DATA: ":white_circle: no data",
}

ON_ONE_RESOURCE = {
    "dynamodb": ("Describe", "List"),
    "iam": ("Get", "ListRole", "ListAttached"),
    "kms": ("Describe", "Get"),
    "lambda": ("GetFunction", "GetPolicy", "GetAlias", "ListVersions", "ListAliases", "GetProvisioned"),
    "s3": ("GetBucket", "GetEncryption", "GetLifecycle", "ListBucket"),
    "secretsmanager": ("Describe",),
    "sns": ("Get", "ListSubscriptionsByTopic"),
    "sqs": ("Get", "ListQueueTags", "ListDeadLetter"),
    "states": ("Describe", "GetExecution"),
}
"""Actions that IAM can limit to the resource that was looked at; all other reads are granted on `*`.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

READS = (
    "Get",
    "List",
    "Describe",
    "BatchGet",
    "Lookup",
    "Filter",
    "Simulate",
    "Search",
    "StartQuery",
    "StopQuery",
    "GET",
)
"""What an action that only reads begins with. No other is offered to copy: `sts:AssumeRole` on `*` opens every role."""

WHOLE_ACCOUNT = frozenset({"dynamodb:DescribeLimits", "dynamodb:ListTables", "lambda:GetAccountSettings"})


def gaps_view(report: Report) -> View:
    """Return every gap, what can be granted first."""
    names = Names.of(report)
    gaps = by_use(report.gaps)
    blocks: list[Block] = []
    for gap in gaps[:SHOWN]:
        small = SEPARATOR.join((prose(gap.specialist, 40), prose(gap.probe, 60), WHY[gap.reason]))
        blocks += [section(unseen_line(gap, names)), context(small)]
    if not gaps:
        blocks.append(section("Everything that was asked for was seen."))
    if len(gaps) > SHOWN:
        blocks.append(context(f"+{len(gaps) - SHOWN} more in the stored report"))
    blocks += _policy(gaps)
    return modal("Could not check", ids.GAPS_VIEW, blocks, reference=ids.reference(report.investigation_id))


def _policy(gaps: Iterable[Gap]) -> list[Block]:
    """Return the policy to copy, in as many pieces as Slack's limits make of it."""
    denied = [gap for gap in gaps if gap.reason is GapReason.ACCESS_DENIED and _only_reads(gap.action or "")]
    if not denied:
        return []
    told = (
        "*To close the denied ones*, add this to the policy of the bot's role. All of it only reads; "
        "`*` stands where the permission is not one on the resource that was looked at."
    )
    return [divider(), *sections([told]), *(preformatted(piece) for piece in policies(denied))]


def _only_reads(action: str) -> bool:
    return action.partition(":")[2].startswith(READS)


def policies(denied: Iterable[Gap]) -> Iterator[str]:
    """Yield policy documents as JSON that grant the denied actions, each short enough to be shown whole."""
    statements: list[dict[str, Any]] = []
    for resource, allowed in sorted(_by_resource(denied).items()):
        statement: dict[str, Any] = {
            "Effect": "Allow",
            "Action": sorted(allowed) if len(allowed) > 1 else next(iter(allowed)),
            "Resource": resource,
        }
        if statements and len(_document([*statements, statement])) > SECTION:
            yield _document(statements)
            statements = []
        statements.append(statement)
    yield _document(statements)


def _document(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2, ensure_ascii=False)


def _by_resource(denied: Iterable[Gap]) -> dict[str, set[str]]:
    granted: dict[str, set[str]] = {}
    for gap in denied:
        action = plain(gap.action or "", 100)
        granted.setdefault(_granted_on(action, gap.resource), set()).add(action)
    return granted


def _granted_on(action: str, resource: str) -> str:
    """Return the ARN to grant an action on: the resource looked at where IAM can limit it to that, else `*`."""
    service, _, name = action.partition(":")
    try:
        same = Arn.parse(resource).service == service
    except ValueError:
        return "*"
    limited = same and action not in WHOLE_ACCOUNT and name.startswith(ON_ONE_RESOURCE.get(service, ("\0",)))
    return plain(resource, 400) if limited else "*"
