"""Things to put into a world; each returns its ARN unless it says otherwise."""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sandbox.aws.segments import Stage
from sandbox.aws.world import World

ASSUMED_BY = "lambda.amazonaws.com"
HANDLER = "def handler(event, context):\n    return event\n"


def allow(
    actions: str | Sequence[str], resource: str | Sequence[str] = "*", *, effect: str = "Allow", **condition: Any
) -> dict[str, Any]:
    """Return one statement of a policy."""
    statement = {"Effect": effect, "Action": actions, "Resource": resource}
    return {**statement, "Condition": condition} if condition else statement


def policy_document(*statements: Mapping[str, Any]) -> str:
    """Return a policy's JSON."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def role(
    world: World,
    name: str,
    *statements: Mapping[str, Any],
    assumed_by: str = ASSUMED_BY,
    managed: Sequence[str] = (),
    boundary: str = "",
) -> str:
    """Make a role with one inline policy of these statements, AWS's managed policies by name, and a boundary by ARN.

    Managed policies need `LocalAws(managed_policies=True)`."""
    iam = world.client("iam")
    trust = policy_document({"Effect": "Allow", "Principal": {"Service": assumed_by}, "Action": "sts:AssumeRole"})
    limits = {"PermissionsBoundary": boundary} if boundary else {}
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, **limits)["Role"]["Arn"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName=f"{name}-policy", PolicyDocument=policy_document(*statements))
    for policy in managed:
        iam.attach_role_policy(RoleName=name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
    return arn


def function(
    world: World,
    name: str,
    *,
    role: str,
    timeout: int = 3,
    memory: int = 128,
    runtime: str = "python3.12",
    env: Mapping[str, str] | None = None,
    reserved: int | None = None,
    last_modified: datetime | None = None,
    members: Mapping[str, Any] | None = None,
    **settings: Any,
) -> str:
    """Make a function that X-Ray traces; `settings` go to CreateFunction.

    `members` are laid over GetFunctionConfiguration's answer, for what moto drops (DeadLetterConfig) or cannot be in
    (a failed LastUpdateStatus); so is `last_modified`, which moto never changes.
    """
    client = world.client("lambda")
    given = {
        "Handler": "app.handler",
        "Environment": {"Variables": dict(env or {})},
        "TracingConfig": {"Mode": "Active"},
        **settings,
    }
    made = client.create_function(
        FunctionName=name,
        Runtime=runtime,
        Role=role,
        Timeout=timeout,
        MemorySize=memory,
        Code={"ZipFile": _zipped(HANDLER)},
        **given,
    )
    arn: str = made["FunctionArn"]
    if reserved is not None:
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=reserved)
        world.seeds.lambda_limits.reserved += reserved
    more = dict(members or {})
    if last_modified is not None:
        more["LastModified"] = last_modified.strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    for called in (name, arn) if more else ():
        _amend(world, "GetFunctionConfiguration", called, more)
        _amend(world, "GetFunction", called, {"Configuration": more})
    return arn


def _amend(world: World, operation: str, called: str, members: Mapping[str, Any]) -> None:
    world.aws.amend(
        "lambda", operation, members, when={"FunctionName": called}, region=world.region, account=world.account
    )


def _zipped(source: str) -> bytes:
    """Return a package with one module; its time is fixed, so that CodeSha256 is too."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo("app.py", (2026, 1, 1, 0, 0, 0)), source)
    return packed.getvalue()


def event_source(world: World, function_name: str, source_arn: str, **settings: Any) -> str:
    """Let a queue or stream invoke a function; returns the mapping's UUID."""
    uuid: str = world.client("lambda").create_event_source_mapping(
        FunctionName=function_name, EventSourceArn=source_arn, **settings
    )["UUID"]
    return uuid


def table(
    world: World,
    name: str,
    *,
    key: str = "id",
    write_capacity: int | None = None,
    read_capacity: int | None = None,
    **settings: Any,
) -> str:
    """Make a table with a string hash key: provisioned when a capacity is given, else on demand."""
    capacity: dict[str, Any] = {"BillingMode": "PAY_PER_REQUEST"}
    if write_capacity is not None or read_capacity is not None:
        units = {
            "ReadCapacityUnits": read_capacity or write_capacity,
            "WriteCapacityUnits": write_capacity or read_capacity,
        }
        capacity = {"BillingMode": "PROVISIONED", "ProvisionedThroughput": units}
    made = world.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        AttributeDefinitions=settings.pop("AttributeDefinitions", [{"AttributeName": key, "AttributeType": "S"}]),
        **capacity,
        **settings,
    )
    arn: str = made["TableDescription"]["TableArn"]
    return arn


def rest_api(
    world: World,
    name: str,
    routes: Sequence[tuple[str, str, str]],
    *,
    stage: str = "prod",
    stage_settings: Mapping[str, str] | None = None,
) -> Stage:
    """Make a REST API with a traced stage; `routes` are (method, "/path", function's ARN). Returns the stage.

    `stage_settings` are patch paths and values, such as `{"/*/*/throttling/rateLimit": "10"}`.
    """
    client = world.client("apigateway")
    api = client.create_rest_api(name=name, endpointConfiguration={"types": ["REGIONAL"]})["id"]
    resources = {"/": client.get_resources(restApiId=api)["items"][0]["id"]}
    for method, path, target in routes:
        resource = _resource(client, api, path, resources)
        client.put_method(restApiId=api, resourceId=resource, httpMethod=method, authorizationType="NONE")
        uri = f"arn:aws:apigateway:{world.region}:lambda:path/2015-03-31/functions/{target}/invocations"
        client.put_integration(
            restApiId=api,
            resourceId=resource,
            httpMethod=method,
            type="AWS_PROXY",
            integrationHttpMethod="POST",
            uri=uri,
        )
        _permit(
            world,
            target,
            f"{method}-{api}",
            "apigateway.amazonaws.com",
            world.arn("execute-api", f"{api}/*/{method}{path}"),
        )
    client.create_deployment(restApiId=api, stageName=stage)
    patches = {"/tracingEnabled": "true", **(stage_settings or {})}
    client.update_stage(
        restApiId=api,
        stageName=stage,
        patchOperations=[{"op": "replace", "path": path, "value": value} for path, value in patches.items()],
    )
    return Stage(api, name, stage)


def _resource(client: Any, api: str, path: str, known: dict[str, str]) -> str:
    """Return the id of a path's resource, made with its parents when it is not there."""
    if path not in known:
        parent, _, part = path.rpartition("/")
        known[path] = client.create_resource(
            restApiId=api, parentId=_resource(client, api, parent or "/", known), pathPart=part
        )["id"]
    return known[path]


def _permit(world: World, target: str, statement_id: str, principal: str, source_arn: str) -> None:
    sid = "".join(c if c.isalnum() else "-" for c in statement_id)
    world.client("lambda").add_permission(
        FunctionName=target, StatementId=sid, Action="lambda:InvokeFunction", Principal=principal, SourceArn=source_arn
    )


def rest_api_arn(world: World, stage: Stage) -> str:
    """Return a REST API's ARN."""
    return f"arn:aws:apigateway:{world.region}::/restapis/{stage.api_id}"


def http_api(world: World, name: str, routes: Sequence[tuple[str, str, str]], *, stage: str = "$default") -> str:
    """Make an HTTP API; `routes` are (method, "/path", function's ARN)."""
    client = world.client("apigatewayv2")
    api: str = client.create_api(Name=name, ProtocolType="HTTP")["ApiId"]
    for method, path, target in routes:
        integration = client.create_integration(
            ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=target, PayloadFormatVersion="2.0"
        )["IntegrationId"]
        client.create_route(ApiId=api, RouteKey=f"{method} {path}", Target=f"integrations/{integration}")
        _permit(
            world, target, f"{method}-{api}", "apigateway.amazonaws.com", world.arn("execute-api", f"{api}/*/*{path}")
        )
    client.create_stage(ApiId=api, StageName=stage, AutoDeploy=True)
    return f"arn:aws:apigateway:{world.region}::/apis/{api}"


def queue(world: World, name: str, *, dead_letter: str = "", max_receives: int = 5, **attributes: str) -> str:
    """Make a queue; `dead_letter` is the ARN of the queue for messages that fail."""
    redrive = (
        {"RedrivePolicy": json.dumps({"deadLetterTargetArn": dead_letter, "maxReceiveCount": max_receives})}
        if dead_letter
        else {}
    )
    world.client("sqs").create_queue(QueueName=name, Attributes={**redrive, **attributes})
    return world.arn("sqs", name)


def topic(world: World, name: str, *, subscribers: Sequence[tuple[str, str]] = (), **attributes: str) -> str:
    """Make a topic; `subscribers` are (protocol, endpoint)."""
    sns = world.client("sns")
    arn: str = sns.create_topic(Name=name, Attributes=attributes)["TopicArn"]
    for protocol, endpoint in subscribers:
        sns.subscribe(TopicArn=arn, Protocol=protocol, Endpoint=endpoint)
    return arn


def bucket(world: World, name: str, *, policy: Sequence[Mapping[str, Any]] = ()) -> str:
    """Make a bucket, with a policy of these statements if there are any."""
    s3 = world.client("s3")
    where = {} if world.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": world.region}}
    s3.create_bucket(Bucket=name, **where)
    if policy:
        s3.put_bucket_policy(Bucket=name, Policy=policy_document(*policy))
    return f"arn:aws:s3:::{name}"


def rule(
    world: World,
    name: str,
    targets: Sequence[str],
    *,
    pattern: Mapping[str, Any] | None = None,
    schedule: str = "",
    enabled: bool = True,
) -> str:
    """Make a rule of the default event bus, by pattern or schedule."""
    events = world.client("events")
    when = {"EventPattern": json.dumps(pattern)} if pattern else {"ScheduleExpression": schedule}
    arn: str = events.put_rule(Name=name, State="ENABLED" if enabled else "DISABLED", **when)["RuleArn"]
    if targets:
        events.put_targets(
            Rule=name, Targets=[{"Id": str(number), "Arn": target} for number, target in enumerate(targets, 1)]
        )
    return arn


def state_machine(world: World, name: str, definition: Mapping[str, Any], *, role: str, kind: str = "STANDARD") -> str:
    """Make a state machine that X-Ray traces."""
    made = world.client("stepfunctions").create_state_machine(
        name=name, definition=json.dumps(definition), roleArn=role, type=kind, tracingConfiguration={"enabled": True}
    )
    arn: str = made["stateMachineArn"]
    return arn
