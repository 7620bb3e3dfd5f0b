"""Causes that belong to no single service: a change that broke something, and signals that cannot be seen."""

from domain.causes.row import rows

CHANGE = rows(
    "any",
    (
        "deploy-regression",
        "a recent change broke it",
        "Roll the change back, then look for the fault in it at leisure.",
        "awscloudtrail/latest/userguide/view-cloudtrail-events.html",
    ),
)

TRACE = rows(
    "xray",
    (
        "lambda-traces-missing",
        "no traces are recorded",
        "Turn active tracing on and let the execution role write segments; unsampled requests never appear.",
        "lambda/latest/dg/troubleshooting-execution.html",
    ),
)

ALARM = rows(
    "cloudwatch",
    (
        "alarm-insufficient-data",
        "the alarm watches a metric that has no data",
        "Correct the alarm's dimensions, and decide how it treats missing data.",
        "AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html",
    ),
)

LOG = rows(
    "logs",
    (
        "cw-logs-throttled",
        "log queries are throttled, so evidence is incomplete",
        "Run the investigation again after a pause. Take the missing logs as unknown, not as free of errors.",
        "AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html",
    ),
)

CAUSES = CHANGE + TRACE + ALARM + LOG
