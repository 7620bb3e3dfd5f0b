"""VPC: what keeps a function from its network, or the network from its targets."""

from domain.causes.row import rows

CAUSES = rows(
    "vpc",
    (
        "lambda-vpc-no-nat",
        "the subnets have no route to what is called",
        "Route the subnets through a NAT gateway, or add a VPC endpoint for the AWS service that is called.",
        "lambda/latest/dg/troubleshooting-networking.html",
    ),
    (
        "lambda-vpc-sg-egress",
        "a security group blocks the connection",
        "Restore the rule from the function's group to the target's group and port, outbound and inbound.",
        "lambda/latest/dg/configuration-vpc.html",
    ),
    (
        "lambda-vpc-nacl",
        "traffic of some subnets is blocked by a network ACL",
        "Allow the port, and the ephemeral ports for the way back, in the ACL of the subnet that fails.",
        "lambda/latest/dg/troubleshooting-networking.html",
    ),
    (
        "vpc-endpoint-policy",
        "the VPC endpoint does not let the call through",
        "Add the action and the resource to the endpoint's policy.",
        "IAM/latest/UserGuide/troubleshoot_access-denied.html",
    ),
    (
        "lambda-eni-limit",
        "the quota of network interfaces is used up",
        "Let functions share the same subnets and security groups, or request a higher quota.",
        "lambda/latest/dg/troubleshooting-networking.html",
    ),
    (
        "lambda-subnet-ip-exhausted",
        "the subnets have no free addresses",
        "Add larger subnets to the function's network settings, or free addresses in these.",
        "lambda/latest/api/API_Invoke.html",
    ),
    (
        "lambda-ec2-throttled",
        "the setup of network interfaces is throttled by EC2",
        "Invoke again later, deploy functions one after another, and request a higher EC2 API limit.",
        "lambda/latest/api/API_Invoke.html",
    ),
    (
        "lambda-ec2-access-denied",
        "the role is not allowed to manage network interfaces",
        "Attach the managed policy for Lambda's VPC access to the execution role.",
        "lambda/latest/api/API_Invoke.html",
    ),
    (
        "lambda-subnet-sg-deleted",
        "a configured subnet or security group is gone",
        "Set the function's network to subnets and security groups that exist.",
        "lambda/latest/api/API_Invoke.html",
    ),
)
