"""Reading KMS keys, and who changed them."""

from collections.abc import Iterator, Mapping
from typing import Any

from aws.reads import Read, read
from domain.evidence import Evidence
from domain.values import utc
from specialists.contract import Look
from specialists.kit.answers import absent
from specialists.kit.changes import changes
from specialists.kit.key import KeyState

DESCRIBE_KEY: Read = read("kms", "DescribeKey")


def key_state(look: Look, named: str) -> KeyState:
    """Return the state of the target's key; each key is asked for once in an investigation."""
    question = ("kms key", look.target.account, look.target.region, named)
    answer = look.once(question, lambda: absent(lambda: look.aws.kms.describe_key(KeyId=named), "NotFoundException"))
    known: Mapping[str, Any] = answer["KeyMetadata"] if answer else {}
    deletion = known.get("DeletionDate")
    return KeyState(
        resource=look.target.id,
        source="kms:DescribeKey",
        key_arn=known.get("Arn", named),
        named=named,
        exists=answer is not None,
        state=known.get("KeyState", ""),
        aws_managed=known.get("KeyManager") == "AWS",
        deletion_at=utc(deletion) if deletion else None,
    )


def key_changes(look: Look) -> Iterator[Evidence]:
    """Yield the changes of the target's keys that cannot be used; CloudTrail lists a key by its ARN."""
    for key in look.seen.of(KeyState, look.target.id):
        if key.unusable:
            yield from changes(look, key.key_arn, resource=key.key_arn)
