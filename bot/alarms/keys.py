"""The names that fields of alarm posts have, and what each tells. Case, spaces and punctuation do not matter.

English names are AWS's own (JSON, mails) and those of the common SNS forwarders; the others are what teams write when
they put a forwarder into their own language. A name that is not here tells nothing, in particular no state: a post's
old state would be taken for its new one.
"""

import re
from enum import StrEnum


class Fact(StrEnum):
    """What a post can tell of an alarm, by the fields of an AlarmReference; `arn` tells three of them."""

    NAME = "name"
    STATE = "state"
    REGION = "region"
    ACCOUNT = "account"
    AT = "at"
    REASON = "reason"
    DESCRIPTION = "description"
    NAMESPACE = "namespace"
    METRIC = "metric"
    DIMENSIONS = "dimensions"
    LINK = "link"
    ARN = "arn"


NAMES: dict[Fact, str] = {
    Fact.NAME: """
        alarm name|alarm|name of alarm|cloudwatch alarm|cloudwatch alarm name|alarm title|name
        nombre de la alarma|nombre de alarma|alarma|nom de l'alarme|alarme|nome do alarme|nome dell'allarme|allarme
        name des alarms|alarm naam|имя тревоги
        アラーム名|アラーム|알람 이름|경보 이름|경보|警报名称|告警名称|警報名稱""",
    Fact.STATE: """
        alarm state|state|new state|current state|new state value|status|new status|current status|alarm status
        state value|state change|status change|transition|state transition|to|now
        estado|nuevo estado|estado actual|novo estado|estado atual|état|nouvel état|état actuel|zustand
        neuer zustand|aktueller zustand|neuer status|aktueller status|stato|nuovo stato|stato attuale|状態|新しい状態
        現在の状態|ステータス|상태|새 상태|현재 상태|状态|新状态|当前状态|狀態|目前狀態|состояние|статус""",
    Fact.REGION: """
        region|aws region|alarm region|región|região|région|regione|リージョン|리전|区域|地区|區域|регион""",
    Fact.ACCOUNT: """
        account|aws account|account id|aws account id|cuenta|conta|compte|konto|account aws
        アカウント|アカウント id|계정|账户|账号|帳戶|аккаунт""",
    Fact.AT: """
        timestamp|time|date|state change time|state change timestamp|state changed at|changed at|alarm time|trigger time
        triggered at|occurred at|when|at|time utc|state updated timestamp|fecha|hora|data|date et heure|heure|zeitpunkt
        zeit|datum|ora|日時|時刻|発生時刻|시간|발생 시간|时间|時間|время""",
    Fact.REASON: """
        reason|alarm reason|reason for state change|new state reason|state reason|trigger reason|cause
        motivo|razón|razão|raison|grund|ragione|理由|原因|이유|사유|причина""",
    Fact.DESCRIPTION: """
        description|alarm description|descripción|descrição|descrizione|beschreibung|説明|설명|描述|описание""",
    Fact.ARN: "alarm arn|arn",
    Fact.NAMESPACE: "namespace|metric namespace",
    Fact.METRIC: "metric name|metric|métrica|métrique|metrik|メトリクス|지표|指标",
    Fact.DIMENSIONS: "dimensions|dimension|metric dimensions|dimensiones|ディメンション|측정기준|维度",
    Fact.LINK: "link to alarm|link|url|console|console link|alarm link|view alarm|alarm url",
}

DIMENSIONS = frozenset({
    "ApiId", "ApiName", "AutoScalingGroupName", "BucketName", "CacheClusterId", "ClusterName", "DBClusterIdentifier",
    "DBInstanceIdentifier", "DeliveryStreamName", "DistributionId", "DomainName", "EventBusName", "FileSystemId",
    "FilterId", "FunctionName", "GlobalSecondaryIndexName", "InstanceId", "LoadBalancer", "LogGroupName", "Method",
    "NatGatewayId", "Operation", "QueueName", "Resource", "RuleName", "ServiceName", "Stage", "StateMachineArn",
    "StorageType", "StreamName", "TableName", "TargetGroup", "TopicName", "TunnelId", "VolumeId", "WebACL",
})  # fmt: skip
"""Dimensions of AWS's metrics, by which some posts name fields:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/aws-services-cloudwatch-metrics.html."""


def normal(key: str) -> str:
    """Return a field's name as the table spells it: lower case, letters and digits only."""
    return re.sub(r"[\W_]+", "", key.casefold())


KEYS: dict[str, Fact] = {
    normal(name): fact for fact, names in NAMES.items() for name in re.split(r"[|\n]", names) if name.strip()
}
