"""Tables that refuse requests for what they ask (no such table, keys, sizes, conflicts, a dead key), or are slow."""

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._functions import CODE, CONFIGURATION, changed, deploy, elsewhere, traffic, whole_minute
from evals.scenarios._journeys import Journey
from evals.scenarios._runtimes import Fault, go, java, node, python, timed_out
from evals.scenarios._tables import count_of, operation_latency, table_changed, table_traffic
from sandbox.aws import resources
from sandbox.aws.resources import allow
from sandbox.aws.world import World


def client_error(code: str, operation: str, message: str, line: int, *, milliseconds: float = 80) -> Fault:
    """Return an error of DynamoDB as boto3 raises it."""
    words = f"An error occurred ({code}) when calling the {operation} operation: {message}"
    frames = ("/var/lang/lib/python3.12/site-packages/botocore/client.py", 1078, "_make_api_call")
    return python(code, words, frames, ("/var/task/app.py", line, "handler"), milliseconds=milliseconds)


@scenario(Kind.SINGLE, "dynamodb")
def table_deleted_with_an_old_stack(world: World) -> Expect:
    """An old stack was deleted that still owned leaderboard; a sibling of almost that name is left and well."""
    sibling = resources.table(world, "leaderboards", key="game")
    gone = world.arn("dynamodb", "table/leaderboard")
    rank = deploy(world, "rank", "python3.12", allow(["dynamodb:Query"], [gone, f"{gone}/index/*"]))
    stage = resources.rest_api(world, "games", [("GET", "/rank", rank.arn)])
    began = whole_minute(world, 8)
    fault = client_error("ResourceNotFoundException", "Query", "Requested resource not found", 22)
    traffic(rank, 240, 26, fault=fault, since=began)
    table_changed(world, "DeleteTable", "leaderboard", who="AWSCloudFormation", when=world.ago(minutes=8, seconds=20))
    elsewhere(world, CODE, "rank-export", who="ci-games", when=world.ago(minutes=12), publish=False)
    journey = Journey(world, world.ago(minutes=2, seconds=20))
    parent = journey.api(stage, "GET", "/rank", rank.name, 0.09, status=502)
    cause = journey.exception(fault, remote=True)
    query = journey.dynamodb("Query", "leaderboard", 0.03, 0.008, status=400, cause=cause)
    journey.function(rank, 0.005, 0.08, parent=parent, calls=[query], fault=fault)
    innocent = (sibling, rank.arn, rank.role_arn, resources.rest_api_arn(world, stage))
    return Expect(journey.send(), cause="ddb-table-not-found", resource=gone, innocent=innocent)


@scenario(Kind.SINGLE, "dynamodb")
def sort_key_added_to_the_new_table(world: World) -> Expect:
    """readings was recreated with a sort key; the Go writer still sends the device's id alone."""
    readings = world.client("dynamodb").create_table(
        TableName="readings",
        KeySchema=[{"AttributeName": "device", "KeyType": "HASH"}, {"AttributeName": "taken_at", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "device", "AttributeType": "S"},
            {"AttributeName": "taken_at", "AttributeType": "N"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )["TableDescription"]["TableArn"]
    ingest = deploy(
        world, "ingest", "provided.al2023", allow(["dynamodb:UpdateItem"], readings), Handler="bootstrap", memory=128
    )
    began = whole_minute(world, 27)
    words = (
        "operation error DynamoDB: UpdateItem, https response error StatusCode: 400, RequestID: 7VQ0K2, "
        "api error ValidationException: The provided key element does not match the schema"
    )
    fault = go("OperationError", words)
    traffic(ingest, 4200, 9, fault=fault, since=began)
    table_changed(world, "CreateTable", "readings", who="terraform", when=world.ago(minutes=27, seconds=15))
    journey = Journey(world, world.ago(minutes=6))
    cause = journey.exception(fault, remote=True)
    write = journey.dynamodb("UpdateItem", "readings", 0.013, 0.007, status=400, cause=cause)
    journey.function(ingest, 0.0, 0.05, calls=[write], fault=fault)
    innocent = (ingest.role_arn,)
    return Expect(journey.send(), cause="ddb-validation-key", resource=readings, innocent=innocent)


@scenario(Kind.CASCADE, "dynamodb")
def basket_grown_over_400_kilobytes(world: World) -> Expect:
    """A reseller's basket is one item and too large by now: baskets refuses it, add-line and the shop API fail."""
    baskets, prices = resources.table(world, "baskets", key="basket"), resources.table(world, "prices", key="sku")
    add = deploy(world, "add-line", "python3.12", allow(["dynamodb:PutItem"], baskets))
    front = deploy(world, "basket-front", "nodejs22.x", allow(["lambda:InvokeFunction"], add.arn))
    stage = resources.rest_api(world, "shop-baskets", [("POST", "/lines", front.arn)])
    began = whole_minute(world, 44)
    fault = client_error("ValidationException", "PutItem", "Item size has exceeded the maximum allowed size", 51)
    outer = node("BasketError", "add-line failed: Unhandled", ("/var/task/index.mjs", 18, "add"), milliseconds=170)
    traffic(add, 300, 40, fault=fault, since=began, share=0.02)
    traffic(front, 300, 95, fault=outer, since=began, share=0.02)
    table_traffic(world, "prices", "Read", 25)
    changed(front, CODE, who="ci-baskets", when=world.ago(hours=6), publish=True)
    journey = Journey(world, world.ago(minutes=9))
    parent = journey.api(stage, "POST", "/lines", front.name, 0.19, status=502)
    invoke = journey.invoke(add.name, 0.03, 0.12, cause=journey.exception(outer, remote=True))
    read = journey.dynamodb("GetItem", "prices", 0.02, 0.005)
    journey.function(front, 0.005, 0.18, parent=parent, calls=[read, invoke], fault=outer)
    cause = journey.exception(fault, remote=True)
    write = journey.dynamodb("PutItem", "baskets", 0.06, 0.03, status=400, cause=cause)
    journey.function(add, 0.035, 0.11, parent=invoke["id"], calls=[write], fault=fault)
    innocent = (prices, front.arn, add.arn, resources.rest_api_arn(world, stage))
    return Expect(journey.send(), cause="ddb-item-too-large", resource=baskets, innocent=innocent)


@scenario(Kind.CASCADE, "dynamodb")
def search_without_an_index_scans_the_table(world: World) -> Expect:
    """The release of find-member filters by e-mail and scans 9 million members: function and API run out of time."""
    members = resources.table(world, "members", key="member")
    find = deploy(world, "find-member", "java17", allow(["dynamodb:Scan"], members), timeout=15, memory=1024)
    stage = resources.rest_api(world, "crm", [("GET", "/members", find.arn)])
    began = whole_minute(world, 31)
    fault = timed_out(15)
    traffic(find, 40, 60, fault=fault, since=began, share=0.7)
    changed(find, CODE, who="ci-crm", when=world.ago(minutes=31, seconds=40), publish=True)
    table_traffic(world, "members", "Read", 12, now=1450, since=began)
    operation_latency(world, "members", "Scan", 90, 38, 410, began)
    operation_latency(world, "members", "GetItem", 700, 4, 4, began)
    journey = Journey(world, world.ago(minutes=5, seconds=30))
    parent = journey.api(stage, "GET", "/members", find.name, 15.04, status=502)
    pages = [journey.dynamodb("Scan", "members", 0.04 + 0.5 * n, 0.48) for n in range(29)]
    cut_off = journey.dynamodb("Scan", "members", 14.6, None, status=None)
    journey.function(find, 0.006, 15.02, parent=parent, calls=[*pages, cut_off], fault=fault)
    innocent = (find.role_arn, resources.rest_api_arn(world, stage))
    return Expect(journey.send(), cause="ddb-latency-scan", resource=members, innocent=innocent)


@scenario(Kind.CASCADE, "dynamodb")
def key_of_the_table_disabled(world: World) -> Expect:
    """Security disabled what it took for an unused key; it encrypts patients, so function and API fail."""
    key = world.client("kms").create_key(Description="patients")["KeyMetadata"]["Arn"]
    sse = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}
    patients = resources.table(world, "patients", SSESpecification=sse)
    world.client("kms").disable_key(KeyId=key[-36:])
    state = {"TableName": "patients", "SSEDescription": {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": key}}
    world.aws.amend("dynamodb", "DescribeTable", {"Table": state}, when={"TableName": "patients"})
    chart = deploy(world, "open-chart", "java21", allow(["dynamodb:GetItem"], patients), memory=1024)
    stage = resources.rest_api(world, "clinic", [("GET", "/chart", chart.arn)])
    words = f"KMS key {key} is disabled. (Service: DynamoDb, Status Code: 400, KMSDisabledException)"
    kind = "software.amazon.awssdk.services.dynamodb.model.DynamoDbException"
    fault = java(kind, words, ("ChartHandler.java", 88, "clinic.ChartHandler.load"))
    traffic(chart, 75, 44, fault=fault, since=whole_minute(world, 10))
    journey = Journey(world, world.ago(minutes=3, seconds=15))
    parent = journey.api(stage, "GET", "/chart", chart.name, 0.14, status=502)
    cause = journey.exception(fault, remote=True)
    read = journey.dynamodb("GetItem", "patients", 0.03, 0.04, status=400, cause=cause)
    journey.function(chart, 0.005, 0.13, parent=parent, calls=[read], fault=fault)
    return Expect(
        journey.send(),
        cause="ddb-kms",
        resource=patients,
        innocent=(chart.arn, chart.role_arn, resources.rest_api_arn(world, stage)),
    )


@scenario(Kind.SINGLE, "dynamodb")
def two_writers_fight_over_one_account(world: World) -> Expect:
    """The new interest job and transfers update the same balances in transactions, which cancel each other."""
    balances = resources.table(world, "balances", key="iban")
    moving = deploy(world, "transfer", "python3.12", allow(["dynamodb:TransactWriteItems"], balances), timeout=20)
    interest = deploy(world, "interest", "python3.12", allow(["dynamodb:TransactWriteItems"], balances), timeout=600)
    began = whole_minute(world, 12)
    words = "Transaction cancelled, please refer cancellation reasons for specific reasons [TransactionConflict, None]"
    fault = client_error("TransactionCanceledException", "TransactWriteItems", words, 73, milliseconds=240)
    traffic(moving, 520, 55, fault=fault, since=began, share=0.3)
    traffic(interest, 1, 240_000)
    count_of(world, "balances", "TransactionConflict", 410, began, usual=3)
    table_traffic(world, "balances", "Write", 30, now=160, since=began)
    changed(moving, CONFIGURATION, who="ops", when=world.ago(hours=3), memorySize=256)
    journey = Journey(world, world.ago(minutes=2, seconds=50))
    cause = journey.exception(fault, remote=True)
    write = journey.dynamodb("TransactWriteItems", "balances", 0.02, 0.2, status=400, retries=0, cause=cause)
    journey.function(moving, 0.0, 0.26, calls=[write], fault=fault)
    innocent = (moving.arn, interest.arn, moving.role_arn)
    return Expect(journey.send(), cause="ddb-transaction-cancelled", resource=balances, innocent=innocent)
