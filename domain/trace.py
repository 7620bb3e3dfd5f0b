"""What an X-Ray trace shows: segments, calls and how they failed.

Documents: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
"""

from collections.abc import Iterable
from datetime import timedelta

from pydantic import AwareDatetime

from domain.evidence import Evidence
from domain.values import Value


class TracedError(Value):
    """An exception as a segment document records it.

    `code` is the AWS error code when there is one (from the exception's type, or from the message of a generic
    `ClientError`), `frame` the first frame of the stack ("app.py:43 in handler").
    """

    type: str
    message: str = ""
    code: str | None = None
    remote: bool = False
    frame: str | None = None


NEGATIVE = frozenset({"ConditionalCheckFailedException", "NoSuchKey", "NotFound", "NotModified", "PreconditionFailed"})
"""Codes by which AWS answers a question with no: it is not there, or not as the caller supposed."""


class TraceCall(Evidence, kind="trace.call"):
    """One call from a segment to an AWS service or a host; `resource` is what was called.

    `origin` says that the failure began here: no failing node below it has an exception of its own.
    `pending` says that the call had no end when its segment was sent: what the caller was waiting for.
    """

    trace_id: str
    segment_id: str
    caller: str
    service: str  # the subsegment's name: "DynamoDB", "dynamodb", "api.stripe.com"
    operation: str | None = None
    start: AwareDatetime
    seconds: float = 0.0
    http_status: int | None = None
    error: bool = False
    fault: bool = False
    throttle: bool = False
    errors: tuple[TracedError, ...] = ()
    origin: bool = False
    pending: bool = False
    retries: int = 0
    attributes: dict[str, str] = {}  # the aws block's plain fields: table_name, queue_url, request_id, url, method ...

    @property
    def failed(self) -> bool:
        """Whether it failed in any way."""
        return self.error or self.fault or self.throttle

    @property
    def refused(self) -> bool:
        """Whether the other side said no, by HTTP 4xx: a caller that succeeded has dealt with it.

        The SDK for Python marks such a call as error and fault, so the flags do not tell.
        """
        return not self.throttle and (not self.fault or 400 <= (self.http_status or 0) < 500)

    @property
    def answered_no(self) -> bool:
        """Whether the answer was a plain no, which callers often ask for.

        SNS says "NotFound" of a topic that is gone, which nobody asks for.
        """
        codes = {(error.code or error.type).rsplit("::", 1)[-1] for error in self.errors}
        return self.refused and bool(codes) and codes <= NEGATIVE and ":sns:" not in self.resource

    def left_behind(self, unwell: Iterable["TraceCall"]) -> bool:
        """Whether its caller took a plain no and went on to another call, which failed otherwise or never ended."""
        return self.answered_no and any(
            not c.answered_no and (self.outlived_by(c) if c.pending else self._came_before(c)) for c in unwell
        )

    def outlived_by(self, later: "TraceCall") -> bool:
        """Whether its caller began the other call after this one had ended."""
        return self._came_before(later) and later.start >= self.start + timedelta(seconds=self.seconds)

    def _came_before(self, later: "TraceCall") -> bool:
        return later.caller == self.caller and later.trace_id == self.trace_id and later.start > self.start

    def summary(self) -> str:
        """Say what was called and how it ended."""
        what = f"{self.service} {self.operation}" if self.operation else self.service
        if not self.failed:
            return f"{what} had no end" if self.pending else f"{what} succeeded after {self.seconds:.3f} s"
        why = self.errors[0] if self.errors else None
        reason = (
            f": {why.code or why.type} {why.message}".rstrip()
            if why
            else (f" with HTTP {self.http_status}" if self.http_status else "")
        )
        return f"{what} failed{reason}"


class TraceSegment(Evidence, kind="trace.segment"):
    """A resource's own view of its work in the trace (`AWS::Lambda` and `AWS::Lambda::Function` are one function).

    `errors` are its own exceptions, not those it inherited from a call; `init_seconds` is a cold start's
    Initialization; `pending` names subsegments that had not ended.
    """

    trace_id: str
    segment_id: str
    origin_type: str = ""  # the document's origin: "AWS::Lambda::Function"
    name: str
    start: AwareDatetime
    seconds: float | None = None  # None: still in progress
    http_status: int | None = None
    error: bool = False
    fault: bool = False
    throttle: bool = False
    errors: tuple[TracedError, ...] = ()
    origin: bool = False
    init_seconds: float | None = None
    pending: tuple[str, ...] = ()
    attributes: dict[
        str, str
    ] = {}  # http.method, http.url, request_id, execution arn, user annotations (as "annotation.x")

    @property
    def failed(self) -> bool:
        """Whether it failed in any way."""
        return self.error or self.fault or self.throttle

    def summary(self) -> str:
        """Say how the resource's part ended."""
        took = "still in progress" if self.seconds is None else f"{self.seconds:.3f} s"
        if not self.failed:
            return f"{self.name} ran without error, {took}"
        why = (
            f": {self.errors[0].type} {self.errors[0].message}".rstrip()
            if self.errors
            else (f" with HTTP {self.http_status}" if self.http_status else "")
        )
        return f"{self.name} failed{why} ({took})"


class TraceOverview(Evidence, kind="trace.overview"):
    """A whole trace in numbers; `resource` is the trace's first resource."""

    trace_id: str
    start: AwareDatetime
    seconds: float
    segments: int
    subsegments: int
    calls: int
    failed_calls: int
    failed_segments: int
    in_progress: bool = False
    complete: bool = True  # False: X-Ray said that documents are missing (LimitExceeded, unprocessed)
    first_fault: str | None = None

    def summary(self) -> str:
        """Say how large the trace is and whether anything in it failed."""
        size = f"{self.segments} segments, {self.subsegments} subsegments, {self.seconds * 1000:.0f} ms"
        if not (self.failed_calls or self.failed_segments):
            return (
                f"{size}; {self.calls} of {self.calls} calls succeeded"
                if self.calls
                else f"{size}; no calls, no failures"
            )
        first = f", first fault in {self.first_fault}" if self.first_fault else ""
        return f"{size}; {self.failed_calls} of {self.calls} calls failed{first}"
