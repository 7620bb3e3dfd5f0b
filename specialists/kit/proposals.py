"""What proposals of several specialists share: taking back changes, reviving keys, letting a service in, queue URLs."""

import hashlib
from collections.abc import Iterator

from domain.action import Effect, ProposedAction, Risk
from domain.arn import Arn
from domain.evidence import Evidence, EvidenceBundle
from domain.report import RankedHypothesis
from specialists.kit.actions import proposed
from specialists.kit.change import Change
from specialists.kit.changekinds import plain_name

KEPT_AS_CODE = "where the setting is kept as code, the next deployment sets it again: mend it there too"

QUEUE_HOSTS = {"aws": "amazonaws.com", "aws-us-gov": "amazonaws.com", "aws-cn": "amazonaws.com.cn"}
"""https://docs.aws.amazon.com/general/latest/gr/sqs-service.html"""


def shown(accepted: RankedHypothesis, *seen: Evidence) -> tuple[str, ...]:
    """Return the ids that an action rests on: what its parameters come from, then what the hypothesis cites first."""
    return tuple(dict.fromkeys([*(item.id for item in seen), *accepted.evidence[:3]]))[:5]


def made(bundle: EvidenceBundle, resource: str, *names: str) -> tuple[Change, ...]:
    """Return the changes of a resource by these operations that AWS carried out, oldest first, each event once."""
    done = {
        change.event_id: change
        for change in bundle.of(Change, resource)
        if change.took_effect and change.observed_at and plain_name(change) in names
    }
    return tuple(sorted(done.values(), key=lambda c: (str(c.observed_at), c.event_id)))


def cited(accepted: RankedHypothesis, bundle: EvidenceBundle, *names: str) -> Change | None:
    """Return the last change by one of these operations that the hypothesis rests on."""
    changes = [item for e in accepted.evidence if e in bundle and isinstance(item := bundle[e], Change)]
    done = (c for c in changes if c.took_effect and plain_name(c) in names)
    return max(done, key=lambda c: (str(c.observed_at), c.event_id), default=None)


def before(bundle: EvidenceBundle, change: Change, *names: str, same: tuple[str, ...] = ()) -> Change | None:
    """Return the last change by these operations before another of that resource; `same` parameters must be equal."""
    earlier = [
        one
        for one in made(bundle, change.resource, *names)
        if str(one.observed_at) < str(change.observed_at)
        and all(one.parameters.get(key) == change.parameters.get(key) for key in same)
    ]
    return earlier[-1] if earlier else None


def function_name(arn: str) -> str:
    """Return a function's name from its ARN, with or without a qualifier."""
    return Arn.parse(arn).resource.split(":")[1]


def queue_url(arn: str) -> str | None:
    """Return the queue's URL, None in a partition whose host names are not known here."""
    parsed = Arn.parse(arn)
    host = QUEUE_HOSTS.get(parsed.partition)
    return f"https://sqs.{parsed.region}.{host}/{parsed.account}/{parsed.resource}" if host else None


def revived(accepted: RankedHypothesis, key: Evidence, arn: str, state: str) -> Iterator[ProposedAction]:
    """Yield what brings a key back: taking it out of its deletion, then switching it on.

    A key that is taken out of its deletion is disabled.
    https://docs.aws.amazon.com/kms/latest/APIReference/API_CancelKeyDeletion.html
    """
    if state not in {"PendingDeletion", "Disabled"} or not arn.startswith("arn:"):
        return
    name = arn.rsplit("/", 1)[-1]
    if state == "PendingDeletion":
        yield proposed(
            "kms.cancel_deletion",
            call=("kms", "CancelKeyDeletion"),
            parameters={"KeyId": arn},
            resource=arn,
            title=f"Take key `{name}` out of its deletion",
            rationale="It waits for its deletion, and what it encrypts is lost with it.",
            expected_effect="The key is kept, disabled: it has to be enabled next.",
            risk=Risk.LOW,
            undo="Schedule its deletion again (ScheduleKeyDeletion); the waiting period begins anew.",
            verification="DescribeKey says KeyState Disabled and gives no DeletionDate.",
            effect=Effect.MENDS,
            trade_off="somebody wanted it gone: ask who still relies on that",
            evidence=shown(accepted, key),
        )
    yield proposed(
        "kms.enable_key",
        call=("kms", "EnableKey"),
        parameters={"KeyId": arn},
        resource=arn,
        title=("Then enable" if state == "PendingDeletion" else "Enable") + f" key `{name}`",
        rationale=f"The key is {state}, so that nothing can be encrypted or decrypted with it.",
        expected_effect="Requests that need the key succeed again, within minutes for what is cached.",
        risk=Risk.LOW,
        undo="Disable it again (DisableKey).",
        verification="DescribeKey says KeyState Enabled, and the KMS errors of its users end.",
        effect=Effect.MENDS,
        trade_off="somebody may have disabled it for a reason, such as a leak",
        evidence=shown(accepted, key),
    )


def enabled(
    accepted: RankedHypothesis, seen: Evidence, uuid: str, function: str, source: str, age: str
) -> ProposedAction:
    """Return the enabling of an event source mapping; `source` is the ARN it reads, `age` the metric of its lag."""
    what = Arn.parse(source).resource.split("/stream/")[0].rsplit("/", 1)[-1]
    return proposed(
        "lambda.enable_mapping",
        call=("lambda", "UpdateEventSourceMapping"),
        parameters={"UUID": uuid, "Enabled": True},
        resource=function,
        title=f"Let `{function_name(function)}` read `{what}` again",
        rationale="The mapping is disabled, and its events wait.",
        expected_effect="The function works off what waits, as fast as its concurrency allows.",
        risk=Risk.MEDIUM,
        undo="Disable the mapping again.",
        verification=f"The mapping's State says Enabled, and {age} falls.",
        effect=Effect.MENDS,
        trade_off="what waits comes all at once: what the function calls must bear it",
        evidence=shown(accepted, seen),
    )


def let_in(
    accepted: RankedHypothesis, seen: Evidence, *, function: str, qualifier: str | None, principal: str, source: str
) -> ProposedAction:
    """Return the statement that lets one source of a service invoke a function; `function` is its ARN, unqualified."""
    sid = "rca-" + hashlib.sha256(f"{principal} {source} {qualifier or ''}".encode()).hexdigest()[:10]
    statement = {"StatementId": sid, "Action": "lambda:InvokeFunction", "Principal": principal, "SourceArn": source}
    name = function_name(function)
    return proposed(
        "lambda.let_in",
        call=("lambda", "AddPermission"),
        parameters={"FunctionName": function, **({"Qualifier": qualifier} if qualifier else {}), **statement},
        resource=function,
        title=f"Let {principal} invoke `{name}` from `{source.split(':', 5)[-1]}`",
        rationale="The function's resource policy has no statement for it.",
        expected_effect="The function is invoked again from the next event or request on.",
        risk=Risk.MEDIUM,
        undo=f"Remove the statement {sid} (RemovePermission).",
        verification=f"Invocations of `{name}` rise again, and the caller's failures fall to 0.",
        effect=Effect.MENDS,
        trade_off="it widens who may invoke the function, to this one source; " + KEPT_AS_CODE,
        evidence=shown(accepted, seen),
    )
