# ruff: noqa: E501 - a table reads best with a row to a line
"""What a change touches, from the name of its event and the settings in it.

Event names: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference.html
"""

import re
from enum import StrEnum
from typing import NamedTuple

from specialists.kit.change import Change


class Aspect(StrEnum):
    """What a change touches, in words for people."""

    TIMEOUT = "its timeout"
    MEMORY = "its memory"
    CONCURRENCY = "its concurrency"
    CAPACITY = "its capacity"
    LIMIT = "its request limits"
    CODE = "its code"
    ALIAS = "the version that is called"
    RUNTIME = "its runtime"
    HANDLER = "its handler"
    LAYERS = "its layers"
    ENVIRONMENT = "its environment"
    ROLE = "its role"
    PERMISSIONS = "permissions"
    ACCESS = "its resource policy"
    KEY = "its key"
    NETWORK = "its network"
    DEFINITION = "its definition"
    ROUTES = "what it passes on"
    FILTER = "its filter"
    DEAD_LETTER = "where failures go"
    SECRET = "a secret or parameter"  # noqa: S105 - a kind of change
    DELETED = "its existence"
    SETTINGS = "its settings"


class _Event(NamedTuple):
    """Events by "service:Name" and what they touch; None: nothing that changes behaviour."""

    name: re.Pattern[str]
    aspect: Aspect | None


class Setting(NamedTuple):
    """A setting by its dotted name in lower case, what it touches, and its unit for people.

    `shown` are settings whose values may be told; of the others only that they changed.
    """

    name: re.Pattern[str]
    aspect: Aspect
    unit: str = ""
    shown: bool = True


def _event(name: str, aspect: Aspect | None, service: str = r"[\w.-]*") -> _Event:
    return _Event(re.compile(rf"(?:{service}):(?:{name})"), aspect)


def _setting(name: str, aspect: Aspect, unit: str = "", *, shown: bool = True) -> Setting:
    return Setting(re.compile(rf"(?:.*\.)?{name}"), aspect, unit, shown)


VERSIONED = re.compile(r"(?<=[a-z])20\d{6}(?:v\d)?$")
"""Lambda's API version at the end of an event's name: UpdateFunctionCode20150331v2."""

EVENTS: tuple[_Event, ...] = (
    _event(r"(?:Un)?[Tt]ag\w*|(?:Add|Remove)Tags\w*|\w+Tagging", None),
    _event(r"(?:Put|Delete)(?:RetentionPolicy|MetricFilter|SubscriptionFilter|Dashboards?)|CreateLog(?:Group|Stream)", None),
    _event(r"PublishVersion|PublishLayerVersion|PublishStateMachineVersion|CreateBackup|UpdateContinuousBackups|CreateGrant", None),
    _event(r"CreateNetworkInterface|DeleteNetworkInterface|AssumeRole\w*|Start(?:Sync)?Execution|PurgeQueue|StartQuery", None),
    _event(r"UpdateFunctionCode|UpdateFunction|CreateFunction", Aspect.CODE, "lambda"),
    _event(r"(?:Create|Update|Delete)Alias|CodeDeploy deployment", Aspect.ALIAS, "lambda|codedeploy"),
    _event(r"PutFunctionConcurrency|(?:Put|Delete)ProvisionedConcurrencyConfig", Aspect.CONCURRENCY, "lambda"),
    _event(r"(?:Create|Update|Delete)EventSourceMapping", Aspect.ROUTES, "lambda"),
    _event(r"(?:Put|Remove)Targets|(?:Put|Enable|Disable)Rule|(?:Start|Stop)Pipe|UpdateSchedule", Aspect.ROUTES, "events|pipes|scheduler"),
    _event(r"(?:Attach|Detach|Put|Delete)(?:Role|User|Group)Policy|(?:Put|Delete)RolePermissionsBoundary", Aspect.PERMISSIONS, "iam"),
    _event(r"UpdateAssumeRolePolicy|(?:Create|Delete)PolicyVersion|SetDefaultPolicyVersion|DeletePolicy", Aspect.PERMISSIONS, "iam"),
    _event(r"DisableKey|ScheduleKeyDeletion|PutKeyPolicy|R(?:evoke|etire)Grant", Aspect.KEY, "kms"),
    _event(r"RemovePermission|(?:Put|Delete)(?:Bucket|Resource)Policy|PutBucketAcl|(?:Put|Delete)(?:Bucket)?PublicAccessBlock", Aspect.ACCESS),
    _event(r"RevokeSecurityGroup\w+|ModifySecurityGroupRules|(?:Create|Delete|Replace)(?:Route|NetworkAcl)\w*", Aspect.NETWORK, "ec2"),
    _event(r"(?:Dis)?[Aa]ssociateRouteTable|(?:Create|Delete|Modify)VpcEndpoint\w*|DeleteNatGateway|De(?:tach|lete)InternetGateway", Aspect.NETWORK, "ec2"),
    _event(r"UpdateStateMachine\w*|CreateStateMachine", Aspect.DEFINITION, "states"),
    _event(r"(?:Create|Update|Delete)UsagePlan\w*", Aspect.LIMIT, "apigateway"),
    _event(r"(?:Put|Update|Delete|Create|Import|Reimport)\w+", Aspect.ROUTES, "apigateway"),
    _event(r"RotateSecret|PutSecretValue|UpdateSecret\w*|PutParameter|SSM parameter", Aspect.SECRET),
    _event(r"Delete(?:Function|Table|Queue|Topic|Bucket|Rule|EventBus|Schedule|Pipe|StateMachine|Role|Secret|Parameters?|Stream)", Aspect.DELETED),
    _event(r"CloudFormation DELETE", Aspect.DELETED),
    _event(r"EnableKey|CancelKeyDeletion|AddPermission|AuthorizeSecurityGroup\w+|DeleteFunctionConcurrency", Aspect.SETTINGS),
)  # fmt: skip
"""The first row that fits decides; an event in no row is told by its settings. The last row gives and takes nothing."""

SETTINGS: tuple[Setting, ...] = (
    _setting(r"timeout(?:inmillis|seconds)?", Aspect.TIMEOUT, "s"),
    _setting(r"memorysize", Aspect.MEMORY, "MB"),
    _setting(r"(?:reserved|provisioned)concurrentexecutions|maximumconcurrency", Aspect.CONCURRENCY),
    _setting(r"(?:read|write)capacityunits|max(?:read|write)requestunits", Aspect.CAPACITY, "units"),
    _setting(r"billingmode", Aspect.CAPACITY),
    _setting(r"throttling(?:burst|rate)limit|throttle\.(?:burst|rate)limit", Aspect.LIMIT),
    _setting(r"runtime", Aspect.RUNTIME),
    _setting(r"handler", Aspect.HANDLER),
    _setting(r"codesha256|s3key|s3objectversion|imageuri|code\.\w+|architectures(?:\.\d+)?|packagetype", Aspect.CODE, shown=False),
    _setting(r"functionversion", Aspect.ALIAS),
    _setting(r"additionalversionweights\.\S+", Aspect.ALIAS),
    _setting(r"layers(?:\.\d+)?", Aspect.LAYERS, shown=False),
    _setting(r"environment(?:\..+)?", Aspect.ENVIRONMENT, shown=False),
    _setting(r"role(?:arn)?", Aspect.ROLE),
    _setting(r"kmskeyarn|kmsmasterkeyid|ssespecification\.\w+", Aspect.KEY),
    _setting(r"vpcconfig(?:\..+)?", Aspect.NETWORK, shown=False),
    _setting(r"filterpolicy(?:scope)?|filtercriteria(?:\..+)?|eventpattern", Aspect.FILTER, shown=False),
    _setting(r"redrivepolicy|deadletterconfig(?:\..+)?|deadletter(?:target)?arn", Aspect.DEAD_LETTER, shown=False),
    _setting(r"policy|policydocument", Aspect.ACCESS, shown=False),
    _setting(r"definition(?:string)?", Aspect.DEFINITION, shown=False),
    _setting(r"visibilitytimeout|delayseconds|messageretentionperiod|batchsize|enabled|state", Aspect.SETTINGS),
)  # fmt: skip


def plain_name(change: Change) -> str:
    """Return the event's name without its API version."""
    return VERSIONED.sub("", change.event_name)


def setting_of(name: str) -> Setting | None:
    """Return what a setting is, by its dotted name as CloudTrail or CloudFormation spells it."""
    return next((row for row in SETTINGS if row.name.fullmatch(name.lower())), None)


def trivial(change: Change) -> bool:
    """Whether the change leaves behaviour as it is: tags, log retention, a version that nobody calls yet."""
    row = _row(change)
    return row is not None and row.aspect is None


def aspects(change: Change) -> frozenset[Aspect]:
    """Return what the change touches; the settings in it are told where its name does not tell."""
    row = _row(change)
    if row is not None:
        return frozenset() if row.aspect is None else frozenset({row.aspect})
    # An attribute is named by a value: {"attributeName": "Policy"}.
    named = [*change.parameters, *(v for k, v in change.parameters.items() if k.lower().endswith("attributename"))]
    found = (setting_of(key) for key in named)
    return frozenset(setting.aspect for setting in found if setting) or frozenset({Aspect.SETTINGS})


def _row(change: Change) -> _Event | None:
    name = f"{change.event_source.split('.')[0]}:{plain_name(change)}"
    return next((row for row in EVENTS if row.name.fullmatch(name)), None)
