"""Typed access to the clients of one account and Region."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_boto3_apigateway import APIGatewayClient
    from types_boto3_apigatewayv2 import ApiGatewayV2Client
    from types_boto3_application_autoscaling import ApplicationAutoScalingClient
    from types_boto3_bedrock_agent_runtime import AgentsforBedrockRuntimeClient
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_cloudtrail import CloudTrailClient
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_codedeploy import CodeDeployClient
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_ec2 import EC2Client
    from types_boto3_events import EventBridgeClient
    from types_boto3_iam import IAMClient
    from types_boto3_kms import KMSClient
    from types_boto3_lambda import LambdaClient
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_s3 import S3Client
    from types_boto3_scheduler import EventBridgeSchedulerClient
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sns import SNSClient
    from types_boto3_sqs import SQSClient
    from types_boto3_ssm import SSMClient
    from types_boto3_stepfunctions import SFNClient
    from types_boto3_sts import STSClient
    from types_boto3_wafv2 import WAFV2Client
    from types_boto3_xray import XRayClient


class Clients:
    """The read-only clients of one account and Region, made when first used.

    `make` makes the client of a service, `elsewhere` the clients of another Region of the same account.
    """

    def __init__(self, make: Callable[[str], Any], elsewhere: "Callable[[str], Clients]") -> None:
        self._make = make
        self._elsewhere = elsewhere

    def in_region(self, region: str) -> "Clients":
        """Return the clients of another Region of the same account: some services are recorded in one of them only."""
        return self._elsewhere(region)

    @property
    def apigateway(self) -> "APIGatewayClient":
        """API Gateway: REST APIs."""
        return self._make("apigateway")  # type: ignore[no-any-return]

    @property
    def apigatewayv2(self) -> "ApiGatewayV2Client":
        """API Gateway: HTTP and WebSocket APIs."""
        return self._make("apigatewayv2")  # type: ignore[no-any-return]

    @property
    def autoscaling(self) -> "ApplicationAutoScalingClient":
        """Application Auto Scaling."""
        return self._make("application-autoscaling")  # type: ignore[no-any-return]

    @property
    def bedrock_agent_runtime(self) -> "AgentsforBedrockRuntimeClient":
        """Bedrock Knowledge Bases."""
        return self._make("bedrock-agent-runtime")  # type: ignore[no-any-return]

    @property
    def cloudformation(self) -> "CloudFormationClient":
        """CloudFormation."""
        return self._make("cloudformation")  # type: ignore[no-any-return]

    @property
    def cloudtrail(self) -> "CloudTrailClient":
        """CloudTrail."""
        return self._make("cloudtrail")  # type: ignore[no-any-return]

    @property
    def cloudwatch(self) -> "CloudWatchClient":
        """CloudWatch metrics and alarms."""
        return self._make("cloudwatch")  # type: ignore[no-any-return]

    @property
    def codedeploy(self) -> "CodeDeployClient":
        """CodeDeploy."""
        return self._make("codedeploy")  # type: ignore[no-any-return]

    @property
    def dynamodb(self) -> "DynamoDBClient":
        """DynamoDB."""
        return self._make("dynamodb")  # type: ignore[no-any-return]

    @property
    def ec2(self) -> "EC2Client":
        """EC2: networks."""
        return self._make("ec2")  # type: ignore[no-any-return]

    @property
    def events(self) -> "EventBridgeClient":
        """EventBridge."""
        return self._make("events")  # type: ignore[no-any-return]

    @property
    def iam(self) -> "IAMClient":
        """IAM."""
        return self._make("iam")  # type: ignore[no-any-return]

    @property
    def kms(self) -> "KMSClient":
        """KMS."""
        return self._make("kms")  # type: ignore[no-any-return]

    @property
    def lambda_(self) -> "LambdaClient":
        """Lambda."""
        return self._make("lambda")  # type: ignore[no-any-return]

    @property
    def logs(self) -> "CloudWatchLogsClient":
        """CloudWatch Logs."""
        return self._make("logs")  # type: ignore[no-any-return]

    @property
    def pipes(self) -> Any:
        """EventBridge Pipes."""
        return self._make("pipes")

    @property
    def s3(self) -> "S3Client":
        """S3."""
        return self._make("s3")  # type: ignore[no-any-return]

    @property
    def scheduler(self) -> "EventBridgeSchedulerClient":
        """EventBridge Scheduler."""
        return self._make("scheduler")  # type: ignore[no-any-return]

    @property
    def secretsmanager(self) -> "SecretsManagerClient":
        """Secrets Manager."""
        return self._make("secretsmanager")  # type: ignore[no-any-return]

    @property
    def sns(self) -> "SNSClient":
        """SNS."""
        return self._make("sns")  # type: ignore[no-any-return]

    @property
    def sqs(self) -> "SQSClient":
        """SQS."""
        return self._make("sqs")  # type: ignore[no-any-return]

    @property
    def ssm(self) -> "SSMClient":
        """Systems Manager."""
        return self._make("ssm")  # type: ignore[no-any-return]

    @property
    def stepfunctions(self) -> "SFNClient":
        """Step Functions."""
        return self._make("stepfunctions")  # type: ignore[no-any-return]

    @property
    def sts(self) -> "STSClient":
        """STS."""
        return self._make("sts")  # type: ignore[no-any-return]

    @property
    def wafv2(self) -> "WAFV2Client":
        """WAF."""
        return self._make("wafv2")  # type: ignore[no-any-return]

    @property
    def xray(self) -> "XRayClient":
        """X-Ray."""
        return self._make("xray")  # type: ignore[no-any-return]
