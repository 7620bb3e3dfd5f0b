"""Building proposed actions: the exact API call and the same as an AWS CLI line, from one set of parameters."""

import hashlib
import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

from domain.action import Effect, ProposedAction, Risk
from domain.arn import Arn

SWITCHED_OFF = {("ec2", "egress"): "ingress"}
"""Where the CLI does not say "no-" for false: `aws ec2 delete-network-acl-entry --ingress | --egress`."""

PLAIN = re.compile(r'-?\d+(?:\.\d+)?|"[\w.:/@+-]+"')
"""Values, as JSON, that the CLI's shorthand takes as they are; the others need JSON."""


def proposed(
    kind: str,
    *,
    call: tuple[str, str],
    parameters: Mapping[str, Any],
    resource: str,
    title: str,
    rationale: str,
    expected_effect: str,
    risk: Risk,
    undo: str,
    verification: str,
    evidence: tuple[str, ...],
    reversible: bool = True,
    effect: Effect = Effect.MENDS,
    trade_off: str = "",
) -> ProposedAction:
    """Return an action that would make this call; `call` is the client and operation: ("dynamodb", "UpdateTable")."""
    service, operation = call
    identity = json.dumps([kind, resource, parameters], sort_keys=True, separators=(",", ":"))
    return ProposedAction(
        id="A-" + hashlib.sha256(identity.encode()).hexdigest()[:10],
        kind=kind,
        title=title,
        resource=resource,
        parameters=dict(parameters),
        rationale=rationale,
        expected_effect=expected_effect,
        api_call=f"{service}:{operation} {json.dumps(parameters, sort_keys=True)}",
        cli=cli_line(service, operation, parameters, Arn.parse(resource).region),
        risk=risk,
        reversible=reversible,
        undo=undo,
        verification=verification,
        effect=effect,
        trade_off=trade_off,
        evidence=evidence,
    )


def cli_line(service: str, operation: str, parameters: Mapping[str, Any], region: str) -> str:
    """Return the AWS CLI's form of a call: `aws dynamodb update-table --region eu-west-1 --table-name orders …`."""
    words = ["aws", service, _kebab(operation), "--region", region]
    for name, value in parameters.items():
        if isinstance(value, bool):
            flag = _kebab(name)
            words.append(f"--{flag}" if value else f"--{SWITCHED_OFF.get((service, flag), f'no-{flag}')}")
        else:
            words += [f"--{_kebab(name)}", value if isinstance(value, str) else _shorthand(value)]
    return shlex.join(words)


def _kebab(name: str) -> str:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name)
    return spaced.lower()


def _shorthand(value: Any) -> str:
    if isinstance(value, Mapping) and value and all(PLAIN.fullmatch(json.dumps(v)) for v in value.values()):
        return ",".join(f"{key}={inner}" for key, inner in value.items())
    return json.dumps(value)
