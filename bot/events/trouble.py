"""What is wrong with the events' queue, in a sentence that says who must do what."""

from aws.errors import classify, unusable
from aws.queue import arn_of
from domain.gap import GapReason


def trouble(error: BaseException, url: str) -> str:
    """Return why the queue cannot be read, and what to do; for what `aws.errors.CALL_ERRORS` holds."""
    operator = unusable(error)
    if operator is not None:
        return str(operator)
    failure = classify(error)
    if failure.reason is GapReason.ACCESS_DENIED:
        return f"AWS denied it: give the bot's role the statement for {arn_of(url) or url} that `rca doctor` prints."
    if failure.reason is GapReason.NOT_FOUND:
        return f"There is no queue {url}. Set RCA_EVENTS_QUEUE_URL to a queue's URL."
    return f"{failure.code or failure.reason.value}: {failure.message}"
