"""Reading a role, its trust and its policies: each asked once in an investigation, whoever asks."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from aws.reads import read
from domain.evidence import Evidence
from specialists.contract import Look
from specialists.iam.evidence import PolicyList, RolePolicy, RoleState
from specialists.iam.policies import Statement, statements_of
from specialists.kit.answers import absent

if TYPE_CHECKING:
    from types_boto3_iam.type_defs import RoleTypeDef

GET_ROLE = read("iam", "GetRole")
GET_POLICY = (read("iam", "GetPolicy"), read("iam", "GetPolicyVersion"))
LIST_ATTACHED = read("iam", "ListAttachedRolePolicies")
LIST_INLINE = (read("iam", "ListRolePolicies"), read("iam", "GetRolePolicy"))


def role_named(look: Look, name: str) -> "RoleTypeDef | None":
    """Return IAM's answer about the role, None when there is no such role; asked once."""
    answer = look.once(
        ("iam role", look.target.account, name),
        lambda: absent(lambda: look.aws.iam.get_role(RoleName=name), "NoSuchEntity"),
    )
    return answer["Role"] if answer else None


def role_state(name: str, arn: str, role: "RoleTypeDef | None") -> RoleState:
    """Return the evidence of what IAM answered about the role."""
    if role is None:
        return RoleState(resource=arn, source="iam:GetRole", name=name, exists=False)
    trust, problem = understood(role.get("AssumeRolePolicyDocument") or "")
    return RoleState(
        resource=arn,
        source="iam:GetRole",
        name=name,
        created=role.get("CreateDate"),
        last_used=role.get("RoleLastUsed", {}).get("LastUsedDate"),
        boundary_arn=role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
        trust=trust,
        trust_problem=problem,
    )


def attached_to(look: Look, name: str, arn: str) -> list[Evidence]:
    """Return the list of the attached policies and each of them; read once."""
    return look.once(("iam attached", arn), lambda: list(_read_attached(look, name, arn)))


def _read_attached(look: Look, name: str, arn: str) -> Iterator[Evidence]:
    pages = absent(
        lambda: list(look.aws.iam.get_paginator("list_attached_role_policies").paginate(RoleName=name)), "NoSuchEntity"
    )
    if pages is None:
        return
    listed = [policy for page in pages for policy in page.get("AttachedPolicies", [])]
    yield PolicyList(
        resource=arn,
        source="iam:ListAttachedRolePolicies",
        form="attached",
        names=tuple(policy.get("PolicyName", "") for policy in listed),
    )
    for policy in listed:
        yield managed_policy(look, arn, policy.get("PolicyArn", ""), "attached")


def managed_policy(look: Look, role_arn: str, policy_arn: str, form: str) -> RolePolicy:
    """Return the default version of a managed policy; one document is read once for all roles."""
    policy, version = look.once(("iam policy", policy_arn), lambda: _read_managed(look, policy_arn))
    statements, problem = understood(version.get("Document") or "")
    return RolePolicy(
        resource=role_arn,
        source="iam:GetPolicyVersion",
        observed_at=version.get("CreateDate"),
        form=form,
        name=policy.get("PolicyName", policy_arn.rsplit("/", 1)[-1]),
        arn=policy_arn,
        version=version.get("VersionId", ""),
        statements=statements,
        problem=problem,
    )


def _read_managed(look: Look, policy_arn: str) -> tuple[Any, Any]:
    policy = look.aws.iam.get_policy(PolicyArn=policy_arn)["Policy"]
    version = look.aws.iam.get_policy_version(PolicyArn=policy_arn, VersionId=policy.get("DefaultVersionId", "v1"))
    return policy, version["PolicyVersion"]


def inline_of(look: Look, name: str, arn: str) -> list[Evidence]:
    """Return the list of the inline policies and each of them; read once."""
    return look.once(("iam inline", arn), lambda: list(_read_inline(look, name, arn)))


def _read_inline(look: Look, name: str, arn: str) -> Iterator[Evidence]:
    pages = absent(
        lambda: list(look.aws.iam.get_paginator("list_role_policies").paginate(RoleName=name)), "NoSuchEntity"
    )
    if pages is None:
        return
    names = tuple(policy for page in pages for policy in page.get("PolicyNames", []))
    yield PolicyList(resource=arn, source="iam:ListRolePolicies", form="inline", names=names)
    for policy in names:
        answer = look.aws.iam.get_role_policy(RoleName=name, PolicyName=policy)
        statements, problem = understood(answer.get("PolicyDocument") or "")
        yield RolePolicy(
            resource=arn,
            source="iam:GetRolePolicy",
            form="inline",
            name=policy,
            statements=statements,
            problem=problem,
        )


def understood(document: object) -> tuple[tuple[Statement, ...], str]:
    """Return a policy's statements, or why they cannot be understood."""
    try:
        return statements_of(document), ""
    except ValueError as error:
        return (), f"its document cannot be understood ({error})"
