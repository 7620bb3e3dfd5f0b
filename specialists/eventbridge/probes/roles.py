"""Looks at the roles under which events are delivered."""

from collections.abc import Iterator, Mapping
from typing import Any

from aws.reads import Read, read
from domain.arn import Arn
from domain.evidence import Evidence
from domain.resource import ResourceType
from specialists.contract import Look, probe
from specialists.eventbridge.arns import parsed_arn
from specialists.eventbridge.evidence import RoleAccess, Target, Targets
from specialists.eventbridge.policy import Ask, lets_in
from specialists.kit.answers import absent

MAX_ROLES = 10
GET_ROLE: Read = read("iam", "GetRole")
SIMULATE: Read = read("iam", "SimulatePrincipalPolicy")

ACTIONS: tuple[tuple[str, str, str], ...] = (
    ("lambda", "function:", "lambda:InvokeFunction"),
    ("sqs", "", "sqs:SendMessage"),
    ("sns", "", "sns:Publish"),
    ("states", "stateMachine:", "states:StartExecution"),
    ("events", "event-bus/", "events:PutEvents"),
    ("events", "api-destination/", "events:InvokeApiDestination"),
    ("kinesis", "stream/", "kinesis:PutRecord"),
    ("firehose", "deliverystream/", "firehose:PutRecord"),
    ("batch", "job-queue/", "batch:SubmitJob"),
    ("codebuild", "project/", "codebuild:StartBuild"),
    ("codepipeline", "", "codepipeline:StartPipelineExecution"),
)
"""What delivering to a target needs, by the service and resource part of its ARN."""

SERVICES = {
    ResourceType.RULE: "events.amazonaws.com",
    ResourceType.SCHEDULE: "scheduler.amazonaws.com",
    ResourceType.PIPE: "pipes.amazonaws.com",
}


@probe(GET_ROLE, SIMULATE, needs=(Targets,), yields=(RoleAccess,))
def target_roles(look: Look) -> Iterator[Evidence]:
    """Looks whether the roles that deliver exist, trust the service, and are allowed to call their target."""
    known = look.seen.first(Targets, look.target.id)
    wanted = dict.fromkeys(pair for target in (known.targets if known else ()) for pair in _deliveries(look, target))
    for role_arn, target_arn in list(wanted)[:MAX_ROLES]:
        role, arn = parsed_arn(role_arn), parsed_arn(target_arn)
        action = next((a for s, p, a in ACTIONS if arn and arn.service == s and arn.resource.startswith(p)), "")
        if role is not None and role.account == look.target.account and action:
            yield _role_access(look, role, target_arn, action)


def _deliveries(look: Look, target: Target) -> Iterator[tuple[str, str]]:
    """Yield (role, what it calls). A schedule's dead letters are sent under its role too, a rule's are not."""
    if target.role_arn:
        yield target.role_arn, target.arn
        if target.dead_letter_arn and look.target.type is ResourceType.SCHEDULE:
            yield target.role_arn, target.dead_letter_arn


def _role_access(look: Look, role: Arn, target_arn: str, action: str) -> RoleAccess:
    service = SERVICES.get(look.target.type, SERVICES[ResourceType.RULE])
    name = role.resource.rsplit("/", 1)[-1]
    answer = look.once(
        ("iam role", look.target.account, name),
        lambda: absent(lambda: look.aws.iam.get_role(RoleName=name), "NoSuchEntity"),
    )
    about = {"role_arn": str(role), "target_arn": target_arn, "action": action, "service": service}
    if answer is None:
        return RoleAccess(resource=look.target.id, source="iam:GetRole", exists=False, **about)
    trust = answer["Role"].get("AssumeRolePolicyDocument")
    # A trust policy has no Resource, and its conditions name this caller.
    ask = Ask(service, "sts:AssumeRole", "*", look.target.id, look.target.account)
    result = look.aws.iam.simulate_principal_policy(
        PolicySourceArn=str(role), ActionNames=[action], ResourceArns=[target_arn]
    )
    return RoleAccess(
        resource=look.target.id,
        source="iam:SimulatePrincipalPolicy",
        trusts=lets_in(trust, ask),
        allowed=_allowed(result["EvaluationResults"][0] if result.get("EvaluationResults") else {}),
        **about,
    )


def _allowed(result: Mapping[str, Any]) -> bool | None:
    """Read the simulator's decision; one that hangs on context it was not given is none."""
    decision = result.get("EvalDecision", "")
    return (
        None
        if not decision or (decision != "allowed" and result.get("MissingContextValues"))
        else decision == "allowed"
    )


ROLE_PROBES = (target_roles,)
