"""What is offered for a bucket: its objects' key, and nothing else."""

import pytest

from specialists.kit.key import KeyState
from specialists.s3 import proposals as of
from tests.specialists.proposals_building import CANCEL, ENABLE, KEY, Scene, label, offers

BUCKET = "arn:aws:s3:::invoices"


def key(state: str, **fields: object) -> KeyState:
    given = {"resource": BUCKET, "source": "kms:DescribeKey", "key_arn": KEY, "state": state}
    return KeyState.model_validate({**given, **fields})


SCENES = (
    Scene("key going", of.revive_key, "kms-pending-deletion", KEY, (key("PendingDeletion"),), (CANCEL, ENABLE)),
    Scene("key disabled", of.revive_key, "s3-kms-denied", BUCKET, (key("Disabled"),), (ENABLE,)),
    Scene("key refused by its policy", of.revive_key, "s3-kms-denied", BUCKET, (key("Enabled"),)),
    Scene("key gone", of.revive_key, "s3-kms-denied", BUCKET, (key("", exists=False),)),
)


@pytest.mark.parametrize("scene", SCENES, ids=label)
def test_an_action_is_offered_only_with_what_was_observed(scene: Scene) -> None:
    assert offers(scene) == scene.expected
