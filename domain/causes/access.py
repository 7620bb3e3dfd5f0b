"""IAM, KMS, Secrets Manager and Parameter Store: permissions, keys and secrets that a call needs and does not get."""

from domain.causes.row import rows

PERMISSION = rows(
    "iam",
    (
        "lambda-role-missing-permission",
        "a permission that the call needs is missing",
        "Allow exactly the denied action on the denied resource, or revert the policy change that removed it.",
        "IAM/latest/UserGuide/troubleshoot_access-denied.html",
    ),
    (
        "iam-explicit-deny-identity",
        "an identity policy explicitly denies the call",
        "Remove the Deny statement, or narrow its resources or conditions so that this call passes.",
        "IAM/latest/UserGuide/troubleshoot_access-denied.html",
    ),
    (
        "iam-explicit-deny-scp",
        "a service control policy denies the call",
        "Ask the organisation's administrators to exempt this action or Region in the policy.",
        "IAM/latest/UserGuide/troubleshoot_access-denied.html",
    ),
    (
        "iam-permission-boundary",
        "the permissions boundary does not allow the call",
        "Add the action to the boundary, if the role is meant to have it.",
        "IAM/latest/UserGuide/troubleshoot_access-denied.html",
    ),
    (
        "iam-resource-policy-deny",
        "a Deny in the called resource's own policy applies",
        "Correct the Deny statement in the policy of the resource that is called.",
        "IAM/latest/UserGuide/troubleshoot_access-denied.html",
    ),
    (
        "iam-no-resource-policy-cross-account",
        "the other account's resource policy does not allow the call",
        "Allow the calling role in the resource's policy; across accounts both sides must allow.",
        "IAM/latest/UserGuide/troubleshoot_access-denied.html",
    ),
    (
        "iam-assume-role-denied",
        "the role cannot be assumed by the caller",
        "Name the caller in the role's trust policy, and allow it sts:AssumeRole on this role.",
        "IAM/latest/UserGuide/troubleshoot_roles.html",
    ),
    (
        "iam-expired-token",
        "the credentials in use are expired or invalid",
        "Let the SDK fetch the role's credentials itself; do not store or cache them in code.",
        "IAM/latest/UserGuide/troubleshoot_general.html",
    ),
)

KEY = rows(
    "kms",
    (
        "lambda-kms-denied",
        "the key for environment variables may not be used",
        "Grant the execution role kms:Decrypt; if the role was recreated, assign it again to renew its grant.",
        "lambda/latest/dg/troubleshooting-invocation.html",
    ),
    (
        "lambda-kms-disabled",
        "the key for environment variables is disabled",
        "Enable the key, after asking whoever disabled it.",
        "kms/latest/developerguide/key-state.html",
    ),
    (
        "kms-pending-deletion",
        "the KMS key is about to be deleted",
        "Cancel the deletion and enable the key before the waiting period ends: deleted keys cannot come back.",
        "kms/latest/developerguide/key-state.html",
    ),
    (
        "kms-key-not-found",
        "the KMS key does not exist",
        "Configure a key that exists in this Region and account, or point the alias back.",
        "kms/latest/developerguide/key-state.html",
    ),
    (
        "kms-throttled",
        "encryption calls exceed the KMS request quota",
        "Turn on S3 Bucket Keys and reuse data keys; request a higher quota if that is not enough.",
        "kms/latest/developerguide/throttling.html",
    ),
)

SECRET = rows(
    "secretsmanager",
    (
        "secret-not-found",
        "the secret or its version does not exist",
        "Restore the secret, or correct its name, Region or staging label in the caller.",
        "secretsmanager/latest/apireference/API_GetSecretValue.html",
    ),
    (
        "secret-marked-deleted",
        "the secret is marked for deletion",
        "Restore the secret while its recovery window is open.",
        "secretsmanager/latest/apireference/API_RestoreSecret.html",
    ),
    (
        "secret-rotation-lambda-denied",
        "the rotation function may not be invoked",
        "Let secretsmanager.amazonaws.com invoke the rotation function, then rotate again.",
        "secretsmanager/latest/userguide/troubleshoot_rotation.html",
    ),
)

PARAMETER = rows(
    "ssm",
    (
        "ssm-parameter-not-found",
        "the parameter does not exist",
        "Create the parameter again, or correct its path and Region in the caller.",
        "systems-manager/latest/APIReference/API_GetParameter.html",
    ),
    (
        "ssm-throttling",
        "parameters are read faster than the rate limit allows",
        "Cache the values between invocations; raise the throughput setting if that is not enough.",
        "systems-manager/latest/userguide/parameter-store-throughput.html",
    ),
)

CAUSES = PERMISSION + KEY + SECRET + PARAMETER
