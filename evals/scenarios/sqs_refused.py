"""Queues that refuse what is sent: too much at once, another account, a key that a topic may not use."""

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._functions import (
    CODE,
    changed,
    deploy,
    elsewhere,
    role_changed,
    traffic,
    whole_minute,
)
from evals.scenarios._journeys import Journey
from evals.scenarios._messages import (
    Flow,
    Spread,
    queue_changed,
    queue_flow,
    read_by,
    reading,
    topic_flow,
)
from evals.scenarios._runtimes import node, ruby
from evals.scenarios._sources import letting_in, ran
from sandbox.aws import resources
from sandbox.aws.resources import allow
from sandbox.aws.world import World


@scenario(Kind.SINGLE, "sqs")
def batch_of_ten_is_too_long_together(world: World) -> Expect:
    """Each message fits, but since reports carry a picture ten of them are more than SQS takes at once. The Ruby SDK
    says BatchRequestTooLong; the queue, its readers and the right to send are well."""
    queue = resources.queue(world, "reports", VisibilityTimeout="120", MaximumMessageSize="1048576")
    store = deploy(world, "report-store", "python3.12", reading(queue), timeout=20)
    read_by(store, queue)
    send = deploy(world, "report-send", "ruby3.3", allow(["sqs:SendMessage"], queue), memory=512)
    fault = ruby(
        "Aws::SQS::Errors::BatchRequestTooLong",
        "Batch requests cannot be longer than 1048576 bytes. You have sent 1730412 bytes.",
        (
            "/var/task/vendor/bundle/ruby/3.3.0/gems/aws-sdk-core-3.201.1/lib/seahorse/client/plugins/raise_response_errors.rb",
            17,
            "call",
        ),
        ("/var/task/lib/outbox.rb", 31, "flush"),
        ("/var/task/app.rb", 12, "handler"),
    )
    began = whole_minute(world, 31)
    traffic(send, 9, 180, fault=fault, since=began, share=0.35)
    traffic(store, 9, 220)
    queue_flow(world, "reports", Flow(80, 80, 80, 1, 2, 2), since=began, then=Flow(52, 52, 52, 1, 2, 2))
    changed(send, CODE, who="ci-reports", when=world.ago(days=3), publish=False)
    elsewhere(world, CODE, "report-draw", who="ci-reports", when=world.ago(minutes=33), publish=False)
    journey = Journey(world, world.ago(minutes=2, seconds=30))
    call = journey.sqs(
        "SendMessageBatch", "reports", 0.08, 0.06, status=400, cause=journey.exception(fault, remote=True)
    )
    journey.function(send, 0.0, 0.19, calls=[call], fault=fault)
    return Expect(
        journey.send(),
        cause="sqs-message-too-large",
        resource=queue,
        innocent=(send.role_arn, store.arn, store.role_arn),
        trigger="",
    )


@scenario(Kind.FOREIGN, "sqs")
def partner_account_closed_its_queue_to_us(world: World) -> Expect:
    """The partner's account took our role out of its queue's policy. Our Node code is refused and throws, as it
    should; nothing on our side has changed."""
    other = "210987654321"
    queue = f"arn:aws:sqs:{world.region}:{other}:parcel-intake"
    tell = deploy(world, "parcel-tell", "nodejs22.x", allow(["sqs:SendMessage"], queue), timeout=10)
    session = f"arn:aws:sts::{world.account}:assumed-role/{tell.role}/{tell.name}"
    fault = node(
        "AccessDenied",
        f"User: {session} is not authorized to perform: sqs:sendmessage on resource: {queue} because no resource-based "
        "policy allows the sqs:sendmessage action",
        ("/var/task/node_modules/@aws-sdk/client-sqs/dist-cjs/index.js", 1402, "de_CommandError"),
        ("/var/task/tell.mjs", 19, "tell"),
    )
    began = whole_minute(world, 22)
    traffic(tell, 25, 90, fault=fault, since=began)
    changed(tell, CODE, who="ci-parcels", when=world.ago(minutes=140), publish=False)
    role_changed(world, "TagRole", tell.role, who="finops", when=world.ago(minutes=23))
    journey = Journey(world, world.ago(minutes=3))
    call = journey.sqs(
        "SendMessage",
        "parcel-intake",
        0.03,
        0.04,
        account=other,
        status=403,
        cause=journey.exception(fault, remote=True),
    )
    journey.function(tell, 0.0, 0.1, calls=[call], fault=fault)
    return Expect(
        journey.send(),
        cause="sqs-access-denied",
        resource=queue,
        accept=(("iam-no-resource-policy-cross-account", queue),),
        innocent=(tell.arn, tell.role_arn),
    )


@scenario(Kind.SINGLE, "sqs")
def security_encrypted_a_queue_that_a_topic_feeds(world: World) -> Expect:
    """A security sweep set the queue to the AWS-managed key of SQS, which no topic may use. The queue's policy lets the
    topic in as ever, and the reader waits for nothing."""
    topic, name = world.arn("sns", "tenant-moves"), "tenant-moves-billing"
    queue = resources.queue(
        world, name, Policy=letting_in(topic, world.arn("sqs", name)), KmsMasterKeyId="alias/aws/sqs"
    )
    resources.topic(world, "tenant-moves", subscribers=[("sqs", queue)])
    key = world.arn("kms", "key/7c1f0a52-3f6e-4d0b-9a55-0e1f2d3c4b5a")
    known = {"KeyId": key.rsplit("/", 1)[-1], "Arn": key, "KeyState": "Enabled", "KeyManager": "AWS", "Enabled": True}
    world.aws.serve("kms", "DescribeKey", {"KeyMetadata": known})
    bill = deploy(world, "tenant-bill", "dotnet8", reading(queue), memory=512, timeout=20)
    read_by(bill, queue)
    began = whole_minute(world, 29)
    topic_flow(world, "tenant-moves", Spread(14, delivered=14), since=began, then=Spread(14, failed=14))
    queue_flow(world, name, Flow(14, 14, 14, 1, 1, 1), since=began, then=Flow())
    ran(bill, 14, 210.0, began)
    sweep = {"attributes": {"KmsMasterKeyId": "alias/aws/sqs"}}
    queue_changed(world, "SetQueueAttributes", name, who="sec-sweep", when=began, **sweep)
    changed(bill, CODE, who="ci-billing", when=world.ago(minutes=35), publish=False)
    return Expect(
        f"nothing arrives any more in {queue}",
        cause="sqs-kms",
        resource=queue,
        accept=(("sns-delivery-failed", topic),),
        says=("sec-sweep",),
        innocent=(bill.arn, bill.role_arn),
    )
