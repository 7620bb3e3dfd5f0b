"""The words by which API Gateway itself names a cause: gateway response types, error types, messages, log texts.

Response types: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
"""

import re

from specialists.apigateway.requests import Answer, answers, matching
from specialists.contract import Case


def _sign(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


SIGNS: dict[str, re.Pattern[str]] = {
    "apigw-malformed-proxy": _sign(
        r"malformed (?:lambda )?proxy response"
        r"|response from the lambda function does.{1,5}t match|lambda returned.{0,40}(?:invalid|unexpected) format"
    ),
    "apigw-invalid-lambda-permission": _sign(
        r"invalid permissions? on lambda function|permissions? to (?:call|invoke) the (?:integration|lambda)"
    ),
    "apigw-lambda-timeout-504": _sign(
        r"\bINTEGRATION_TIMEOUT\b|endpoint request timed[ -]?out|execution failed due to a timeout"
    ),
    "apigw-integration-failure": _sign(
        r"network error communicating with endpoint|invalid endpoint address|PKIX path|certification path"
        r"|during handshake|certificate for .{1,120} (?:doesn't|does not) match"
    ),
    "apigw-missing-auth-token": _sign(r"missing[ _]?authentication[ _]?token|\bRESOURCE_NOT_FOUND\b"),
    "apigw-throttled": _sign(
        r"\bTHROTTLED\b|too ?many ?requests|(?:throttle|rate|burst) limit exceeded|exceeded throttle"
    ),
    "apigw-quota-exceeded": _sign(
        r"\bQUOTA_EXCEEDED\b|exceeded quota|(?<!throttle )(?<!rate )(?<!burst )\blimit[ _]?exceeded"
    ),
    "apigw-invalid-api-key": _sign(
        r"\bINVALID_API_KEY\b|\bapi key\b.{0,40}\b(?:not authorized|not valid|invalid|disabled|not associated)\b"
    ),
    "apigw-authorizer-denied": _sign(
        r"not authorized to access this resource|client is not authorized to perform this operation"
    ),
    "apigw-unauthorized": _sign(r"\bunauthorized(?:exception)?\b"),
    "apigw-authorizer-failure": _sign(
        r"\bAUTHORIZER_(?:FAILURE|CONFIGURATION_ERROR)\b|AuthorizerConfigurationException"
        r"|permissions? to (?:call|invoke) the authorizer|authorizer (?:error|failed|failure|timed out)"
        r"|configuration error: invalid json in response"
    ),
    "apigw-expired-signature": _sign(
        r"\bEXPIRED_TOKEN\b|\bINVALID_SIGNATURE\b|security token included in the request is"
        r"|(?:InvalidSignature|ExpiredToken|IncompleteSignature|UnrecognizedClient)(?:Exception)?\b"
        r"|request signature we calculated does not match|signature (?:expired|not yet current)"
    ),
    "apigw-waf-blocked": _sign(r"\bWAF_FILTERED\b|\bWAF_BLOCK(?:ED)?\b"),
    "apigw-request-too-large": _sign(
        r"\bREQUEST_TOO_LARGE\b|RequestTooLarge|request (?:entity |payload |body )?(?:is )?too (?:large|long)"
        r"|payload too large|content too large"
    ),
    "apigw-bad-request-validation": _sign(
        r"\bBAD_REQUEST_(?:BODY|PARAMETERS)\b|invalid request body|missing required request parameter"
        r"|request body does not match|request validation failed"
    ),
    "apigw-mapping-error": _sign(
        r"unable to transform (?:the )?(?:request|response)|no match for output mapping"
        r"|output mapping refers to an invalid"
    ),
    "apigw-cors": _sign(r"\bCORS policy\b|cross-origin request blocked|no 'access-control-allow-origin'"),
    "apigw-private-endpoint-policy": _sign(r"not authorized to perform:? execute-api:Invoke"),
}
"""A cause and the words that state it; each names one cause only."""

STATUSES: dict[str, tuple[int, ...]] = {
    "apigw-unauthorized": (401,),
    "apigw-throttled": (429,),
    "apigw-quota-exceeded": (429,),
    "apigw-missing-auth-token": (403, 404),
    "apigw-lambda-timeout-504": (504, 503),
}
"""The statuses without which the words mean something else."""

AUTHORIZING = _sign(r"starting authorizer|sending request to .{0,200}authorizer")
AUTHORIZED = _sign(r"(?:successfully )?completed authorizer|valid authorizer policy|endpoint response")
FUNCTION_ERROR = _sign(r"customer function error|lambda (?:execution|invocation) failed")
CONFIGURATION_ERROR = _sign(r"\bAPI_CONFIGURATION_ERROR\b")
INTEGRATION_FAILURE = _sign(r"\bINTEGRATION_FAILURE\b")
ACCESS_DENIED = _sign(r"\bACCESS_DENIED\b|\bAccessDeniedException\b|\bForbiddenException\b")


def stated(case: Case, code: str) -> tuple[Answer, ...]:
    """Return the failed answers whose words state the cause, unless the integration gave them."""
    found = matching(answers(case), SIGNS[code], *STATUSES.get(code, ()))
    return tuple(a for a in found if _own(a) and not (code == INTEGRATION_WORDS and in_authorizer(a)))


INTEGRATION_WORDS = "apigw-invalid-lambda-permission"
"""The one cause whose words the execution log also prints about an authorizer."""


def _own(answer: Answer) -> bool:
    """Tell whether the words are API Gateway's: below 500 with its integration called, they are the integration's."""
    return not (answer.passed_on or (answer.reached and answer.status is not None and answer.status < 500))


def in_authorizer(answer: Answer) -> bool:
    """Tell whether the execution log shows that the request got no further than its authorizer."""
    return AUTHORIZING.search(answer.said) is not None and AUTHORIZED.search(answer.said) is None


def named(answer: Answer) -> bool:
    """Tell whether the answer's words state any cause, so that nothing has to be guessed from its status."""
    return any(
        sign.search(answer.said) and (answer.status is None or answer.status in STATUSES.get(code, (answer.status,)))
        for code, sign in SIGNS.items()
    )


def unexplained(case: Case, *statuses: int) -> tuple[Answer, ...]:
    """Return the answers with one of the statuses that state no cause and are not known to be the integration's."""
    return tuple(a for a in answers(case) if a.status in statuses and _own(a) and not named(a))
