"""Traces that other producers wrote: OpenTelemetry by way of the collector, and the X-Ray SDKs for Java, .NET, Node.js.

The forms are those of the collector's X-Ray exporter (spans other than a server's are documents of their own, named by
`db.name`, then `rpc.service`; attributes that it does not know stand in `metadata.default`) and of the SDKs' own names.
https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
"""

from typing import Any

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._buckets import bucket_changed
from evals.scenarios._functions import CODE, CONFIGURATION, changed, deploy, role_changed, traffic, whole_minute
from evals.scenarios._journeys import Journey
from evals.scenarios._messages import Flow, queue_changed, queue_flow
from evals.scenarios._runtimes import dotnet, python, timed_out
from evals.scenarios._tables import EXCEEDED, WORDS, Throttling, table_changed, table_traffic
from sandbox.aws import resources
from sandbox.aws.documents import Document, timed
from sandbox.aws.resources import allow
from sandbox.aws.world import World

FARGATE = "AWS::ECS::Fargate"


class Spans(Journey):
    """A trace that a collector sent: a document a span."""

    def server(self, name: str, after: float, seconds: float, **rest: Any) -> Document:
        """Add a server's span, a segment."""
        return self._sent(timed(name, self.place.ids, self._start(after), seconds, **_marks(rest)))

    def span(self, parent: str, name: str, after: float, seconds: float | None, **rest: Any) -> Document:
        """Add any other span, a subsegment sent by itself."""
        marks = {"type": "subsegment", "parent_id": parent, **_marks(rest)}
        return self._sent(timed(name, self.place.ids, self._start(after), seconds, **marks))

    @property
    def sent(self) -> list[Document]:
        """The documents up to now."""
        return self._documents

    def moment(self, after: float) -> float:
        """Return the epoch second so many seconds after the begin."""
        return self._start(after)

    def _sent(self, document: Document) -> Document:
        whole = {**document, "trace_id": self.place.trace_id}
        self.add(whole)
        return whole


def _marks(given: dict[str, Any]) -> dict[str, Any]:
    """The exporter writes each flag, set or not."""
    return {"fault": False, "error": False, "throttle": False, **given}


def spoken(language: str, operation: str = "", **more: Any) -> Document:
    """Return the aws block of a collector."""
    sdk = {"sdk": f"opentelemetry for {language}", "sdk_version": "1.42.0", "auto_instrumentation": True}
    return {"xray": sdk, **({"operation": operation} if operation else {}), **more}


def raised(journey: Journey, kind: str, message: str, *, remote: bool = True) -> Document:
    """Return the exception event of a span as a cause."""
    return {"exceptions": [{"id": journey.place.ids.segment(), "type": kind, "message": message, "remote": remote}]}


def answered(status: int, method: str = "POST", url: str = "") -> Document:
    """Return an http block; a span of an SDK knows the status only."""
    request = {"request": {"method": method, "url": url}} if url else {}
    return {**request, "response": {"status": status}}


@scenario(Kind.SINGLE, "dynamodb")
def span_named_after_its_table(world: World) -> Expect:
    """A Node.js service on Fargate writes to carts, whose capacity finops cut. OpenTelemetry names the call by db.name,
    the table's name; that it went to DynamoDB stands in rpc.service alone. Its HTTP request is a span below it."""
    carts = resources.table(world, "carts", write_capacity=10)
    wishes = resources.table(world, "wishes", write_capacity=200)
    began = whole_minute(world, 21)
    refused = Throttling(began, 900, "Provisioned")
    table_traffic(world, "carts", "Write", 80, provisioned=10, now=10, since=began, throttling=refused)
    table_traffic(world, "wishes", "Write", 20, provisioned=200)
    units = {"readCapacityUnits": 10, "writeCapacityUnits": 10}
    table_changed(world, "UpdateTable", "carts", who="finops", when=world.ago(minutes=22), provisionedThroughput=units)
    journey = Spans(world, world.ago(minutes=3))
    top = journey.server(
        "cart-service",
        0,
        0.24,
        origin=FARGATE,
        http=answered(500, "POST", "http://cart.internal/carts"),
        aws=spoken("nodejs", ecs={"container": "cart"}),
        fault=True,
    )
    route = journey.span(top["id"], "request handler - /carts", 0.01, 0.22)

    def call(table: str, after: float, **rest: Any) -> None:
        told = {"rpc.system": "aws-api", "rpc.service": "DynamoDB", "db.system": "dynamodb", "db.name": table}
        sent = journey.span(
            route["id"],
            table,
            after,
            0.05,
            namespace="aws",
            aws=spoken("nodejs", "PutItem", region=world.region, request_id=world.ids.request()),
            metadata={"default": {**told, "db.operation": "PutItem"}},
            **rest,
        )
        host = f"dynamodb.{world.region}.amazonaws.com"
        http = answered(rest["http"]["response"]["status"], "POST", f"https://{host}/")
        journey.span(sent["id"], host, after + 0.01, 0.03, namespace="remote", http=http, error="cause" in rest)

    call("wishes", 0.02, http=answered(200))
    call("carts", 0.08, http=answered(400), error=True, cause=raised(journey, EXCEEDED, WORDS.format("the table")))
    return Expect(journey.send(), cause="ddb-provisioned-exceeded", resource=carts, innocent=(wishes,))


@scenario(Kind.SINGLE, "sqs")
def queue_that_only_metadata_names(world: World) -> Expect:
    """A Java service on EC2 sends to invoices, which went with an old stack; its name stands in an attribute that the
    collector's exporter does not know, aws.sqs.queue.url, and the segment has no origin."""
    gone, other = world.arn("sqs", "invoices"), resources.queue(world, "invoice-copies")
    queue_flow(world, "invoice-copies", Flow(30, 30, 30, 2, 1, 2))
    queue_changed(world, "DeleteQueue", "invoices", who="AWSCloudFormation", when=world.ago(minutes=14, seconds=10))
    host = f"https://sqs.{world.region}.amazonaws.com/{world.account}"
    journey = Spans(world, world.ago(minutes=4))
    top = journey.server(
        "billing",
        0,
        0.31,
        http=answered(500, "POST", "http://billing.internal/invoices"),
        aws=spoken("java"),
        fault=True,
    )
    words = (
        "The specified queue does not exist. (Service: Sqs, Status Code: 400, Request ID: "
        f"{world.ids.request()}) (SDK Attempt Count: 1)"
    )
    failure = raised(journey, "software.amazon.awssdk.services.sqs.model.QueueDoesNotExistException", words)
    for name, after, rest in (
        ("invoice-copies", 0.02, {"http": answered(200)}),
        ("invoices", 0.12, {"http": answered(400), "error": True, "cause": failure}),
    ):
        told = {
            "rpc.system": "aws-api",
            "rpc.service": "Sqs",
            "messaging.system": "aws_sqs",
            "aws.sqs.queue.url": f"{host}/{name}",
        }
        aws = spoken("java", "SendMessage", region=world.region)
        journey.span(top["id"], "Sqs", after, 0.08, namespace="aws", aws=aws, metadata={"default": told}, **rest)
    return Expect(journey.send(), cause="sqs-queue-not-exist", resource=gone, innocent=(other,))


@scenario(Kind.SINGLE, "s3")
def bucket_in_an_annotation(world: World) -> Expect:
    """The ADOT layer of a Python function tells the bucket in aws.remote.resource.identifier, an annotation. Somebody
    narrowed the function's role to reading."""
    bucket = resources.bucket(world, "claims-scans-7f1")
    intake = deploy(world, "scan-intake", "python3.12", allow(["s3:GetObject"], f"{bucket}/*"), timeout=20)
    who = f"arn:aws:sts::{world.account}:assumed-role/{intake.role}/scan-intake"
    words = (
        f"An error occurred (AccessDenied) when calling the PutObject operation: User: {who} is not authorized to "
        f'perform: s3:PutObject on resource: "{bucket}/2026/a.pdf" because no identity-based policy allows the '
        "s3:PutObject action"
    )
    fault = python("ClientError", words, ("/var/task/app.py", 31, "handler"))
    traffic(intake, 20, 90, fault=fault, since=whole_minute(world, 17))
    role_changed(
        world, "PutRolePolicy", intake.role, who="iam-review", when=world.ago(minutes=17, seconds=30), policyName="p"
    )
    journey = Spans(world, world.ago(minutes=3))
    journey.function(intake, 0, 0.2, fault=fault)
    [_, own] = journey.sent
    top = journey.server(
        "scan-intake",
        0.02,
        0.17,
        parent_id=own["id"],
        fault=True,
        cause=raised(journey, "botocore.exceptions.ClientError", words, remote=False),
        aws=spoken("python"),
        annotations={"aws.local.service": "scan-intake", "aws.local.operation": "scan-intake/FunctionHandler"},
    )
    journey.span(
        top["id"],
        "S3",
        0.05,
        0.06,
        namespace="aws",
        aws=spoken("python", "PutObject", region=world.region),
        http=answered(403),
        error=True,
        cause=raised(journey, "botocore.exceptions.ClientError", words),
        annotations={
            "aws.remote.service": "AWS::S3",
            "aws.remote.operation": "PutObject",
            "aws.remote.resource.type": "AWS::S3::Bucket",
            "aws.remote.resource.identifier": "claims-scans-7f1",
        },
    )
    return Expect(
        journey.send(),
        cause="lambda-role-missing-permission",
        resource=intake.role_arn,
        innocent=(bucket,),
        facts=("claims-scans-7f1",),
    )


@scenario(Kind.SINGLE, "s3")
def bucket_that_java_calls_amazon_s3(world: World) -> Expect:
    """A Java service under the X-Ray SDK: parents' causes are ids of the call's exception, the call came twice, in
    progress and whole, as a document of its own, and is named Amazon S3, with a blank."""
    kept, gone = resources.bucket(world, "rate-cards-eu"), "arn:aws:s3:::rate-cards-us"
    bucket_changed(world, "DeleteBucket", "rate-cards-us", who="cost-sweeper", minutes=31)
    journey = Spans(world, world.ago(minutes=5))
    ids = journey.place.ids
    inner, outer = ids.segment(), ids.segment()
    words = (
        "The specified bucket does not exist (Service: Amazon S3; Status Code: 404; Error Code: NoSuchBucket; "
        "Request ID: 5Q0F7M; S3 Extended Request ID: n1H=; Proxy: null)"
    )
    stack = [{"path": "AmazonHttpClient.java", "line": 1879, "label": "handleErrorResponse"}]
    chain = [
        {"id": outer, "type": "com.northwind.rates.CardException", "message": "no card", "cause": inner, "stack": []},
        {
            "id": inner,
            "type": "com.amazonaws.services.s3.model.AmazonS3Exception",
            "message": words,
            "remote": True,
            "stack": stack,
            "truncated": 41,
        },
    ]
    aws = {"xray": {"sdk": "X-Ray for Java", "sdk_version": "2.18.1"}, "ec2": {"instance_id": "i-0b1c2d3e4f5a6b7c8"}}
    top = journey.server(
        "rates",
        0,
        0.3,
        origin="AWS::EC2::Instance",
        http=answered(500, "GET", "http://rates.internal/cards"),
        aws=aws,
        cause=outer,
        fault=True,
    )
    step = journey.span(top["id"], "CardReader.read", 0.02, 0.25, cause={"exceptions": chain[:1]}, fault=True)

    def call(bucket: str, after: float, **rest: Any) -> None:
        block = {"operation": "GetObject", "region": world.region, "bucket_name": bucket, "key": "2026.json"}
        whole = journey.span(step["id"], "Amazon S3", after, 0.05, namespace="aws", aws=block, **rest)
        open_yet = {k: v for k, v in whole.items() if k not in {"end_time", "http", "cause", "error", "fault"}}
        journey.add({**open_yet, "in_progress": True})

    call("rate-cards-eu", 0.03, http=answered(200))
    call("rate-cards-us", 0.12, http=answered(404), error=True, fault=True, cause={"exceptions": chain[1:]})
    return Expect(journey.send(), cause="s3-no-such-bucket", resource=gone, innocent=(kept,))


@scenario(Kind.SINGLE, "dynamodb")
def key_that_dotnet_leaves_out(world: World) -> Expect:
    """A .NET function, restored by SnapStart, writes to a table that got a second key. The SDK for .NET calls DynamoDB
    DynamoDBv2, and its exception has an inner one without a word in it."""
    meters = world.client("dynamodb").create_table(
        TableName="meters",
        KeySchema=[{"AttributeName": "meter", "KeyType": "HASH"}, {"AttributeName": "read_at", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "meter", "AttributeType": "S"},
            {"AttributeName": "read_at", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )["TableDescription"]["TableArn"]
    reader = deploy(world, "meter-reader", "dotnet8", allow(["dynamodb:PutItem"], meters), memory=512)
    words = "One or more parameter values were invalid: Missing the key read_at in the item"
    fault = dotnet("Amazon.DynamoDBv2.AmazonDynamoDBException", words, ("/src/Reader.cs", 58, "Meters.Reader.Store()"))
    traffic(reader, 130, 35, fault=fault, since=whole_minute(world, 12))
    table_changed(world, "CreateTable", "meters", who="terraform", when=world.ago(minutes=12, seconds=20))
    journey = Spans(world, world.ago(minutes=4))
    inner = journey.place.ids.segment()
    hidden = "Exception of type 'Amazon.Runtime.Internal.HttpErrorResponseException' was thrown."
    exceptions = [
        {"id": journey.place.ids.segment(), "type": "AmazonDynamoDBException", "message": words, "remote": True},
        {"id": inner, "type": "HttpErrorResponseException", "message": hidden, "remote": True},
    ]
    exceptions[0]["cause"] = inner
    call = journey.dynamodb("PutItem", "meters", 0.41, 0.03, status=400, cause={"exceptions": exceptions})
    call["name"] = "DynamoDBv2"
    call.pop("error")
    call["aws"] = {k: v for k, v in call["aws"].items() if k != "resource_names"}
    for document in filter(lambda d: d.get("inferred"), journey.sent):
        document["name"] = "DynamoDBv2"
    journey.function(reader, 0, 0.5, calls=[call], fault=fault)
    own = journey.sent[-1]
    own["subsegments"].insert(
        0, timed("Restore", journey.place.ids, own["start_time"] - 0.3, 0.28, aws={"function_arn": reader.arn})
    )
    return Expect(journey.send(), cause="ddb-validation-key", resource=meters, innocent=(reader.role_arn,))


@scenario(Kind.SINGLE, "lambda")
def query_that_never_came_back(world: World) -> Expect:
    """A Node.js function waits for PostgreSQL until Lambda stops it: Powertools' subsegments and the query stay in
    progress. Before, a write was refused because the row is there; the code goes on from that, and no flag is set."""
    seen = resources.table(world, "seen-events", key="event")
    rights = allow(["dynamodb:PutItem"], seen)
    ledger = deploy(world, "ledger-post", "nodejs22.x", rights, timeout=6, memory=512)
    fault = timed_out(6)
    traffic(ledger, 40, 180, fault=fault, since=whole_minute(world, 13), share=0.9)
    changed(ledger, CODE, who="ci-ledger", when=world.ago(days=2), publish=False)
    journey = Spans(world, world.ago(minutes=3))
    there = raised(journey, "ConditionalCheckFailedException", "The conditional request failed")
    put = journey.dynamodb("PutItem", "seen-events", 0.05, 0.02, status=400, cause=there)
    for flag in ("error", "fault"):
        put.pop(flag)
    sql = {"url": "ledger.cluster-c1x2.eu-west-1.rds.amazonaws.com:5432/ledger", "database_type": "PostgreSQL"}
    query = timed(
        "ledger@ledger.cluster-c1x2.eu-west-1.rds.amazonaws.com",
        journey.place.ids,
        journey.moment(0.09),
        None,
        namespace="remote",
        sql={**sql, "preparation": "statement", "sanitized_query": "select * from entries where id = $1 for update"},
    )
    handler = timed(
        "## index.handler",
        journey.place.ids,
        journey.moment(0.03),
        None,
        subsegments=[timed("### postEntry", journey.place.ids, journey.moment(0.04), None, subsegments=[put, query])],
        annotations={"ColdStart": False, "Service": "ledger"},
    )
    journey.function(ledger, 0, 6.01, calls=[handler], fault=fault)
    return Expect(journey.send(), cause="lambda-timeout", resource=ledger.arn, innocent=(seen, ledger.role_arn))


@scenario(Kind.CASCADE, "lambda")
def clocks_that_disagree_by_minutes(world: World) -> Expect:
    """A Go service whose clock runs three minutes ahead calls an API of its own account by its address. Its segment
    never came, its call came twice; behind the API a function lacks a variable that a deployment dropped."""
    quote = deploy(world, "freight-quote", "python3.13", env={"LOG_LEVEL": "INFO"}, last_modified=world.ago(minutes=16))
    stage = resources.rest_api(world, "freight", [("GET", "/quote", quote.arn)])
    fault = python("KeyError", "'TARIFF_URL'", ("<frozen os>", 714, "__getitem__"), ("/var/task/app.py", 6, "tariff"))
    traffic(quote, 60, 30, fault=fault, since=whole_minute(world, 15))
    changed(quote, CONFIGURATION, who="ci-freight", when=world.ago(minutes=15, seconds=40), environment={})
    journey = Spans(world, world.ago(minutes=5))
    host = f"{stage.api_id}.execute-api.{world.region}.amazonaws.com"
    lost = journey.place.ids.segment()
    call = journey.span(
        lost,
        host,
        180,
        0.12,
        namespace="remote",
        http=answered(502, "GET", f"https://{host}/{stage.stage}/quote?to=FR"),
        fault=True,
        precursor_ids=[journey.place.ids.segment()],
    )
    journey.add({key: value for key, value in call.items() if key != "end_time"} | {"in_progress": True})
    parent = journey.api(stage, "GET", "/quote", quote.name, 0.08, status=502)
    journey.sent[-1]["parent_id"] = call["id"]
    journey.function(quote, 0.005, 0.07, parent=parent, fault=fault)
    return Expect(
        journey.send(),
        cause="lambda-missing-env-var",
        resource=quote.arn,
        innocent=(resources.rest_api_arn(world, stage), quote.role_arn),
    )


@scenario(Kind.HEALTHY, "lambda")
def customer_who_is_not_there(world: World) -> Expect:
    """A Java service asks an API of the account for a customer and is told 404, as every new customer is: the span has
    an error flag and a status without a type, the function behind is well, and the request is answered. A write took
    two tries; its cause holds the first."""
    people = resources.table(world, "people", key="person")
    find = deploy(world, "person-find", "java21", allow(["dynamodb:GetItem"], people), memory=1024)
    resources.http_api(world, "people", [("GET", "/people/{person}", find.arn)])
    traffic(find, 50, 22)
    journey = Spans(world, world.ago(minutes=6))
    top = journey.server(
        "signup",
        0,
        0.2,
        origin="AWS::EC2::Instance",
        http=answered(201, "POST", "http://signup.internal/signup"),
        aws=spoken("java"),
    )
    url = f"https://people.internal.example/people/{world.ids.hex(6)}"
    call = journey.span(
        top["id"], "people.internal.example", 0.03, 0.09, namespace="remote", http=answered(404, "GET", url), error=True
    )
    tried = raised(journey, "aws.http.error.event", "500@1795169000.125000@InternalServerError")
    journey.span(
        top["id"],
        "DynamoDb",
        0.13,
        0.05,
        namespace="aws",
        aws=spoken("java", "PutItem", region=world.region, table_name="people"),
        http=answered(200),
        cause=tried,
    )
    get = journey.dynamodb("GetItem", "people", 0.07, 0.01)
    journey.function(find, 0.04, 0.06, parent=call["id"], calls=[get])
    return Expect(journey.send(), innocent=(people, find.arn, find.role_arn))
