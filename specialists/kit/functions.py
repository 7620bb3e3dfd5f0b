"""Lambda's answers about one function: each asked once in an investigation, whichever specialists need it.

Errors are raised as Lambda gives them, to everyone who asks. A function is named by its name or its ARN.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from aws.reads import Read, read
from domain.arn import Arn
from specialists.contract import Look

if TYPE_CHECKING:
    from types_boto3_lambda.type_defs import (
        FunctionConfigurationResponseTypeDef,
        GetFunctionConcurrencyResponseTypeDef,
    )

GET_CONFIGURATION: Read = read("lambda", "GetFunctionConfiguration")
GET_CONCURRENCY: Read = read("lambda", "GetFunctionConcurrency")
GET_POLICY: Read = read("lambda", "GetPolicy")

NO_FUNCTION = "ResourceNotFoundException"
"""The code for a function, version or alias that does not exist, and for a function without a policy."""

AnswerT = TypeVar("AnswerT")


def configuration_of(look: Look, function: str, qualifier: str = "") -> "FunctionConfigurationResponseTypeDef":
    """Return the settings and the state of a function, or of one of its versions or aliases."""
    return _asked_once(look, look.aws.lambda_.get_function_configuration, function, qualifier)


def policy_text_of(look: Look, function: str, qualifier: str = "") -> str:
    """Return the resource policy of a function, or of one of its versions or aliases, as JSON text."""
    return _asked_once(look, look.aws.lambda_.get_policy, function, qualifier)["Policy"]


def reserved_concurrency_of(look: Look, function: str) -> "GetFunctionConcurrencyResponseTypeDef":
    """Return the concurrency that is reserved for a function; the answer is empty where none is."""
    return _asked_once(look, look.aws.lambda_.get_function_concurrency, function, "")


def _asked_once(look: Look, ask: Callable[..., AnswerT], function: str, qualifier: str) -> AnswerT:
    which = _named(look, function, qualifier)
    question = (ask.__name__, look.target.account, look.target.region, *which.values())
    return look.once(question, lambda: ask(**which))


def _named(look: Look, function: str, qualifier: str) -> dict[str, str]:
    """Return the parameters that name a function, the same however it was named: an ARN only where it is elsewhere."""
    try:
        arn = Arn.parse(function)
    except ValueError:
        name, _, inside = function.partition(":")
    else:
        _, name, *rest = arn.resource.split(":")
        inside = rest[0] if rest else ""
        if (arn.account, arn.region) != (look.target.account, look.target.region):
            name = str(arn.model_copy(update={"resource": f"function:{name}"}))
    version = qualifier or inside
    return {"FunctionName": name, **({"Qualifier": version} if version else {})}
