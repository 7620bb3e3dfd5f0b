"""Functions that Lambda cannot attach to their VPC, as their callers tell."""

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._functions import CODE, deploy, elsewhere, role_changed, traffic, whole_minute
from evals.scenarios._journeys import Journey
from evals.scenarios._networks import group, inside, network, network_changed
from evals.scenarios._runtimes import dotnet, node, ruby
from sandbox.aws.resources import allow, policy_document
from sandbox.aws.world import World


@scenario(Kind.SINGLE, "vpc")
def no_network_interface_left_in_the_region(world: World) -> Expect:
    """A load test used up the Region's network interfaces: Lambda can make none for invoice-render, and the Ruby
    function that calls it is told so."""
    net = network(world, "10.81")
    render = inside(net, "invoice-render", "java21", group(net, "invoice-render"), memory=2048)
    batch = deploy(world, "invoice-batch", "ruby3.3", allow(["lambda:InvokeFunction"], render.arn), timeout=60)
    told = (
        "Lambda was not able to create an elastic network interface in the VPC, specified as part of Lambda function "
        "configuration, because the limit for network interfaces has been reached."
    )
    fault = ruby(
        "Aws::Lambda::Errors::ENILimitReachedException", told,
        ("/var/runtime/gems/aws-sdk-core-3.209.1/lib/seahorse/client/plugins/raise_response_errors.rb", 17, "call"),
        ("/var/task/batch.rb", 41, "render"), milliseconds=700,
    )  # fmt: skip
    traffic(render, 30, 400)
    traffic(batch, 12, 900, fault=fault, since=whole_minute(world, 6), share=0.6)
    elsewhere(world, CODE, "invoice-mail", who="ci-invoices", when=world.ago(minutes=7), publish=False)
    journey = Journey(world, world.ago(minutes=2))
    call = journey.invoke(render.name, 0.02, 0.6, status=502, retries=3, cause=journey.exception(fault, remote=True))
    journey.function(batch, 0.0, 0.7, calls=[call], fault=fault)
    innocent = (batch.arn, batch.role_arn, render.role_arn)
    return Expect(journey.send(), cause="lambda-eni-limit", resource=render.arn, innocent=innocent)


@scenario(Kind.SINGLE, "vpc")
def role_lost_its_right_to_attach(world: World) -> Expect:
    """A least-privilege sweep took the right to network interfaces from the role; the next invocation of a function
    that had been idle for weeks failed. The C# caller swallows it into its own exception."""
    net = network(world, "10.73")
    audit = inside(net, "audit-export", "python3.13", group(net, "audit-export"))
    iam = world.client("iam")
    logging = allow(["logs:CreateLogStream", "logs:PutLogEvents"], "*")
    for name in iam.list_role_policies(RoleName=audit.role)["PolicyNames"]:
        iam.put_role_policy(RoleName=audit.role, PolicyName=name, PolicyDocument=policy_document(logging))
    state = {
        "State": "Inactive", "StateReasonCode": "InsufficientRolePermissions",
        "StateReason": "The provided execution role does not have permissions to call CreateNetworkInterface on EC2",
    }  # fmt: skip
    for called in (audit.name, audit.arn):
        world.aws.amend("lambda", "GetFunctionConfiguration", state, when={"FunctionName": called})
        world.aws.amend("lambda", "GetFunction", {"Configuration": state}, when={"FunctionName": called})
    month = deploy(world, "month-close", "dotnet8", allow(["lambda:InvokeFunction"], audit.arn), memory=512)
    inner = dotnet("Amazon.Lambda.Model.EC2AccessDeniedException", "Lambda does not have permission to access the VPC")
    outer = dotnet(
        "MonthClose.ExportFailedException",
        "Export of 2026-10 failed ---> Amazon.Lambda.Model.EC2AccessDeniedException: Need additional permissions to "
        "configure VPC settings.",
        ("/src/MonthClose/Close.cs", 88, "MonthClose.Close.ExportAsync(Period period)"),
        milliseconds=380,
    )
    traffic(month, 2, 700, fault=outer, since=whole_minute(world, 24))
    role_changed(
        world, "PutRolePolicy", audit.role, who="least-privilege", when=world.ago(hours=2), policyName="audit-export"
    )
    journey = Journey(world, world.ago(minutes=4))
    call = journey.invoke(audit.name, 0.02, 0.3, status=502, cause=journey.exception(inner, remote=True))
    journey.function(month, 0.0, 0.38, calls=[call], fault=outer)
    return Expect(
        journey.send(), cause="lambda-ec2-access-denied", resource=audit.role_arn, innocent=(month.arn, month.role_arn)
    )


@scenario(Kind.SINGLE, "vpc")
def group_of_the_function_deleted(world: World) -> Expect:
    """Terraform replaced a security group and deleted the old one, which the function still names."""
    net = network(world, "10.76")
    gone = "sg-0d3adbeef00112233"
    mail = inside(net, "mail-merge", "nodejs20.x", gone)
    caller = deploy(world, "campaign", "nodejs22.x", allow(["lambda:InvokeFunction"], mail.arn))
    words = "The security group ID provided in the Lambda function VPC configuration is not valid."
    fault = node(
        "InvalidSecurityGroupIDException", words,
        ("/var/runtime/node_modules/@aws-sdk/client-lambda/dist-cjs/index.js", 1204, "de_CommandError"),
        ("/var/task/index.mjs", 40, "merge"), milliseconds=260,
    )  # fmt: skip
    traffic(caller, 9, 120, fault=fault, since=whole_minute(world, 8))
    network_changed(world, "DeleteSecurityGroup", gone, who="net-tf", minutes=9, groupId=gone)
    elsewhere(world, CODE, "campaign-stats", who="ci-campaign", when=world.ago(minutes=8), publish=False)
    journey = Journey(world, world.ago(minutes=2))
    call = journey.invoke(mail.name, 0.02, 0.2, status=502, cause=journey.exception(fault, remote=True))
    journey.function(caller, 0.0, 0.26, calls=[call], fault=fault)
    return Expect(
        journey.send(),
        cause="lambda-subnet-sg-deleted",
        resource=mail.arn,
        says=("DeleteSecurityGroup by net-tf",),
        innocent=(caller.arn, caller.role_arn),
    )
