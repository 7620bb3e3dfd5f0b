"""The S3 probes over HTTP: moto for what it knows, served answers for what it lacks."""

import json
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from domain.evidence import load_evidence
from domain.graph import ServiceGraph
from domain.resource import resource_from_arn
from sandbox.aws import resources
from sandbox.aws.faults import ACCESS_DENIED
from sandbox.aws.local import LocalAws
from sandbox.aws.signals import cloudtrail_event, log, metric
from sandbox.aws.world import World
from specialists.kit.change import Change
from specialists.kit.policies import Verdict
from specialists.registry import all_specialists
from specialists.s3 import SPECIALIST, probes, probes_notifications
from specialists.s3.evidence import MetricsConfiguration
from tests.specialists.s3_building import (
    BUCKET,
    CALLER,
    FUNCTION,
    KEY,
    bucket,
    call,
    encryption,
    graph,
    minute,
    notifying,
)
from tests.support.probing import NOW, look_with

NAME = "invoices-eu"
QUEUE = "arn:aws:sqs:eu-west-1:123456789012:new-invoices"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:new-invoices"


@pytest.fixture(scope="module")
def _local() -> Iterator[LocalAws]:
    with LocalAws() as local:
        yield local


@pytest.fixture
def world(_local: LocalAws, monkeypatch: pytest.MonkeyPatch) -> World:
    _local.reset()
    for name, value in _local.environment().items():
        monkeypatch.setenv(name, value)
    return World(_local, now=NOW)


def read(probe, **more):
    found = look_with(probe, BUCKET, **more)
    for evidence in found:
        assert isinstance(evidence, probe.yields)
        assert evidence.resource == BUCKET
        assert load_evidence(json.loads(json.dumps(evidence.dump()))) == evidence
        assert "\n" not in evidence.summary()
    return found


def test_the_place_of_a_bucket_is_read(world: World) -> None:
    resources.bucket(world, NAME)

    state = read(probes.bucket)[0]

    assert (state.exists, state.region, state.from_region, state.elsewhere) == (True, "eu-west-1", "eu-west-1", False)


@pytest.mark.parametrize("region", ["us-east-1", "ap-south-1"])
def test_a_bucket_in_another_region_is_told_so(world: World, region: str) -> None:
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    world.aws.client("s3", region=region).create_bucket(Bucket=NAME, **where)

    state = read(probes.bucket)[0]

    assert (state.region, state.elsewhere) == (region, True)


def test_a_bucket_that_is_gone_is_told_once_and_hushes_every_other_look(world: World) -> None:
    assert not read(probes.bucket)[0].exists
    for probe in (
        probes.bucket_policy,
        probes.policy_status,
        probes.public_access,
        probes.encryption,
        probes.ownership,
        probes.versioning,
        probes.lifecycle,
        probes.requests,
        probes_notifications.notifications,
    ):
        assert read(probe) == []


def test_settings_that_were_never_made_are_evidence(world: World) -> None:
    resources.bucket(world, NAME)

    assert not read(probes.bucket_policy)[0].configured
    assert not read(probes.policy_status)[0].public
    assert not read(probes.public_access)[0].stops_reads
    assert not read(probes.encryption)[0].by_customer_key
    assert read(probes.ownership)[0].setting == ""
    assert read(probes.versioning)[0].status == ""
    assert read(probes.lifecycle)[0].expiries == ()
    assert [type(item) for item in read(probes.requests)] == [MetricsConfiguration]
    assert read(probes_notifications.notifications)[0].destinations == ()


def test_a_denied_setting_is_an_error_for_the_runner_and_not_unset(world: World) -> None:
    resources.bucket(world, NAME)
    world.aws.inject("s3", "GetPublicAccessBlock", ACCESS_DENIED)

    with pytest.raises(ClientError):
        read(probes.public_access)


def test_settings_are_read(world: World) -> None:
    public = {**resources.allow("s3:GetObject", f"{BUCKET}/*"), "Principal": "*"}
    resources.bucket(world, NAME, policy=[public])
    s3 = world.client("s3")
    s3.put_public_access_block(
        Bucket=NAME, PublicAccessBlockConfiguration={"BlockPublicAcls": True, "RestrictPublicBuckets": True}
    )
    s3.put_bucket_ownership_controls(
        Bucket=NAME, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    )
    s3.put_bucket_versioning(Bucket=NAME, VersioningConfiguration={"Status": "Enabled"})
    default = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}}
    s3.put_bucket_encryption(
        Bucket=NAME, ServerSideEncryptionConfiguration={"Rules": [{**default, "BucketKeyEnabled": True}]}
    )

    policy, block, encrypted = read(probes.bucket_policy)[0], read(probes.public_access)[0], read(probes.encryption)[0]

    assert policy.opens_to_all
    assert (block.block_acls, block.ignore_acls, block.restrict_buckets) == (True, False, True)
    assert (encrypted.key_id, encrypted.bucket_key, encrypted.by_customer_key) == (KEY, True, True)
    assert read(probes.ownership)[0].setting == "BucketOwnerEnforced"
    assert read(probes.versioning)[0].status == "Enabled"
    assert read(probes.policy_status)[0].public


def test_lifecycle_rules_that_delete_are_read(world: World) -> None:
    resources.bucket(world, NAME)
    rules = [
        {"ID": "tmp", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 3}},
        {"ID": "off", "Status": "Disabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}},
        {
            "ID": "cold",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "Transitions": [{"Days": 9, "StorageClass": "GLACIER"}],
        },
        {
            "ID": "and",
            "Status": "Enabled",
            "Filter": {"And": {"Prefix": "b/", "Tags": [{"Key": "a", "Value": "b"}]}},
            "Expiration": {"Days": 4},
        },
    ]
    world.client("s3").put_bucket_lifecycle_configuration(Bucket=NAME, LifecycleConfiguration={"Rules": rules})

    found = read(probes.lifecycle)[0]

    assert [(one.rule, one.prefix, one.days) for one in found.expiries] == [("tmp", "tmp/", 3), ("and", "b/", 4)]


def test_the_default_key_and_those_of_errors_are_read_in_each_state(world: World) -> None:
    kms = world.client("kms")
    made = [kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2)]
    kms.schedule_key_deletion(KeyId=made[0].rsplit("/", 1)[-1], PendingWindowInDays=7)
    kms.disable_key(KeyId=made[1].rsplit("/", 1)[-1])
    failed = call("KMS.DisabledException", f"{made[1]} is disabled.")

    assert read(probes.default_key, seen=[encryption(made[0])])[0].state == "PendingDeletion"
    assert [one.state for one in read(probes.keys_in_errors, seen=[failed])] == ["Disabled"]
    assert not read(probes.default_key, seen=[encryption(KEY)])[0].exists


@pytest.mark.parametrize("key_id", ["", "alias/aws/s3", KEY.replace("eu-west-1", "us-east-1")])
def test_keys_that_cannot_be_judged_from_here_are_left_out(world: World, key_id: str) -> None:
    assert read(probes.default_key, seen=[encryption(key_id)]) == []


def test_request_metrics_are_read_per_filter(world: World) -> None:
    configured = {"IsTruncated": False, "MetricsConfigurationList": [{"Id": "all"}]}
    world.aws.serve("s3", "ListBucketMetricsConfigurations", configured)
    metric(world, "AWS/S3", "5xxErrors", {"BucketName": NAME, "FilterId": "all"}, [7], start=minute(17))

    found = read(probes.requests)

    assert found[0].filters == ("all",)
    assert {one.metric: one.total for one in found[1:]}["5xxErrors"] == 7


def test_changes_are_looked_up_by_the_buckets_name(world: World) -> None:
    cloudtrail_event(world, "PutBucketPolicy", "s3", [("AWS::S3::Bucket", NAME)], who="deploy-bot",
                     when=minute(10), request={"bucketName": NAME})  # fmt: skip

    found = read(probes.bucket_changes)

    assert isinstance(found[0], Change)
    assert (found[0].event_name, found[1].events) == ("PutBucketPolicy", 1)


def test_the_callers_log_is_read_where_the_trace_has_no_error(world: World) -> None:
    lines = ["START", "[ERROR] NoSuchKey: The specified key does not exist."]
    log(world, "/aws/lambda/make-invoice", [(minute(18), line) for line in lines])

    (found,) = read(probes.caller_errors, graph=graph())

    assert [event.message for event in found.events] == lines[1:]
    assert read(probes.caller_errors, graph=graph(), seen=[call("NoSuchKey", "x")]) == []


# --- notifications


def test_notifications_are_read_with_their_filters(world: World) -> None:
    rules = [{"Name": "prefix", "Value": "in/"}, {"Name": "suffix", "Value": ".png"}]
    resources.bucket(world, NAME)
    resources.queue(world, "new-invoices")
    resources.function(world, "thumbnail", role=resources.role(world, "runner"))
    world.client("s3").put_bucket_notification_configuration(
        Bucket=NAME,
        NotificationConfiguration={
            "LambdaFunctionConfigurations": [
                {
                    "LambdaFunctionArn": FUNCTION,
                    "Events": ["s3:ObjectCreated:*"],
                    "Filter": {"Key": {"FilterRules": rules}},
                }
            ],
            "QueueConfigurations": [{"QueueArn": QUEUE, "Events": ["s3:ObjectRemoved:*"]}],
        },
    )

    found = read(probes_notifications.notifications)[0]

    assert [one.arn for one in found.destinations] == [FUNCTION, QUEUE]
    assert found.destinations[0].takes("in/a.png")
    assert not found.destinations[0].takes("in/a.jpg")


def test_functions_of_the_configuration_and_of_the_path_are_judged(world: World) -> None:
    role = resources.role(world, "runner")
    for name in ("thumbnail", "make-invoice"):
        resources.function(world, name, role=role)
    lambda_ = world.client("lambda")
    for name, source in (("thumbnail", BUCKET), ("make-invoice", BUCKET + "-old")):
        lambda_.add_permission(
            FunctionName=name, StatementId="s", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com",
            SourceArn=source, SourceAccount="123456789012",
        )  # fmt: skip
    seen = [notifying(FUNCTION, FUNCTION + "-gone", FUNCTION.replace("eu-west-1", "us-east-1"))]

    found = {one.arn: one for one in read(probes_notifications.function_receivers, seen=seen, graph=graph())}

    assert found[FUNCTION].verdict is Verdict.ALLOWED
    assert found[CALLER].verdict is Verdict.SILENT
    assert not found[FUNCTION + "-gone"].exists
    assert found[FUNCTION.replace("eu-west-1", "us-east-1")].unread == "it is in us-east-1, and eu-west-1 was read"


def test_a_condition_on_another_owner_is_left_open(world: World) -> None:
    resources.function(world, "thumbnail", role=resources.role(world, "runner"))
    world.client("lambda").add_permission(
        FunctionName="thumbnail", StatementId="s", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com",
        SourceAccount="999988887777",
    )  # fmt: skip

    (found,) = read(probes_notifications.function_receivers, seen=[notifying(FUNCTION)])

    assert found.verdict is Verdict.UNCLEAR


def allowing(action: str, resource: str) -> str:
    return resources.policy_document(
        {
            **resources.allow(action, resource, ArnLike={"aws:SourceArn": BUCKET}),
            "Principal": {"Service": "s3.amazonaws.com"},
        }
    )


def test_queues_and_topics_are_judged(world: World) -> None:
    resources.queue(world, "new-invoices", Policy=allowing("sqs:SendMessage", QUEUE))
    resources.topic(world, "new-invoices")
    seen = [notifying(QUEUE, QUEUE + "-gone", QUEUE.replace("123456789012", "999988887777"), TOPIC, TOPIC + "-gone")]

    queues = read(probes_notifications.queue_receivers, seen=seen)
    topics = read(probes_notifications.topic_receivers, seen=seen)

    assert [(one.exists, one.refuses, one.unread) for one in queues] == [
        (True, False, ""),
        (False, True, ""),
        (True, False, "it is in account 999988887777"),
    ]
    # The topic's first policy lets its owner in, by a condition of which S3 does not tell whether it meets it.
    assert [(one.exists, one.verdict, one.refuses) for one in topics] == [
        (True, Verdict.UNCLEAR, False),
        (False, Verdict.SILENT, True),
    ]


def test_the_functions_runs_are_read(world: World) -> None:
    metric(world, "AWS/Lambda", "Invocations", {"FunctionName": "thumbnail"}, [3], start=minute(-30))
    versioned = FUNCTION + ":live"

    (found,) = read(probes_notifications.receivers_runs, seen=[notifying(FUNCTION, versioned)])

    assert (found.total, found.usual_peak) == (0, 3)


# --- the specialist


def test_the_specialist_is_found_and_its_probes_only_read(world: World) -> None:
    resources.bucket(world, NAME)
    lonely = ServiceGraph.of([resource_from_arn(BUCKET)])
    for probe in SPECIALIST.probes:
        look_with(probe, BUCKET, seen=[bucket(), encryption(), notifying(FUNCTION, QUEUE, TOPIC)], graph=lonely)

    assert SPECIALIST in all_specialists()
    assert world.aws.writes() == ()
    assert all(len(probe.doc) > 40 for probe in SPECIALIST.probes)


@pytest.mark.parametrize(
    ("probe", "action"),
    [
        (probes.encryption, "s3:GetEncryptionConfiguration"),
        (probes.public_access, "s3:GetBucketPublicAccessBlock"),
        (probes.lifecycle, "s3:GetLifecycleConfiguration"),
        (probes.requests, "s3:GetMetricsConfiguration"),
        (probes_notifications.notifications, "s3:GetBucketNotification"),
    ],
)
def test_actions_are_named_as_iam_names_them(probe, action: str) -> None:
    assert probe.actions[0] == action
