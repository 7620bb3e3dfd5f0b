"""One traced request, told leg by leg, with the log of each function that it passed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from evals.scenarios._functions import Function, invocation
from evals.scenarios._runtimes import Fault
from sandbox.aws import documents, segments, signals, subsegments
from sandbox.aws.documents import Document
from sandbox.aws.segments import Stage
from sandbox.aws.world import World


class Journey:
    """Builds a trace; `after` is always seconds since its begin. `send` gives its id."""

    def __init__(self, world: World, at: datetime) -> None:
        self.world = world
        self.place = world.place(at)
        self._at = at
        self._documents: list[Document] = []

    def api(
        self, stage: Stage, method: str, path: str, function: str, seconds: float, *, status: int, answered: int = 200
    ) -> str:
        """Let a stage call a function; `answered` is the status of the Invoke. Returns the call's id."""
        start = self._at.timestamp()
        call = segments.lambda_integration(self.place, function, start + 0.003, seconds - 0.005, status=answered)
        self._documents.append(
            segments.stage_segment(self.place, stage, method, path, start, seconds, status=status, integration=call)
        )
        return str(call["id"])

    def function(
        self,
        function: Function,
        after: float,
        seconds: float,
        *,
        parent: str | None = None,
        calls: Sequence[Document] = (),
        fault: Fault | None = None,
        init: float | None = None,
        status: int = 200,
        lines: Sequence[str] = (),
    ) -> None:
        """Run a function; an invocation that was refused (429) has no log."""
        start = self._at.timestamp() + after
        cause = self.exception(fault) if fault else None
        place = self.place._replace(region=function.world.region, account=function.world.account)
        pair = segments.lambda_segments(
            place,
            function.name,
            parent,
            start,
            seconds,
            calls=calls,
            cause=cause,
            init_seconds=init,
            status=status,
        )
        if fault and not fault.type:
            pair = tuple(_bare(document) for document in pair)
        self._documents.extend(pair)
        if status == 200:
            request = str(pair[0]["aws"]["request_id"])
            at = self._at + timedelta(seconds=after + 0.012)
            events = invocation(function, at, seconds * 1000, fault=fault, lines=lines, request=request)
            signals.log(function.world, f"/aws/lambda/{function.name}", events)

    def exception(self, fault: Fault, *, remote: bool = False) -> Document:
        """Return the exception of a fault as a document's cause."""
        return documents.exception(self.place.ids, fault.type, fault.message, remote=remote, stack=fault.stack)

    def dynamodb(self, operation: str, table: str, after: float, seconds: float | None, **rest: Any) -> Document:
        """Call a table, and let X-Ray infer it."""
        call = subsegments.dynamodb_call(
            self.place.ids, operation, table, self._start(after), seconds, region=self.world.region, **rest
        )
        return self._inferred(call, "AWS::DynamoDB::Table", table)

    def s3(self, operation: str, bucket: str, key: str, after: float, seconds: float | None, **rest: Any) -> Document:
        """Call a bucket, and let X-Ray infer it."""
        call = subsegments.s3_call(
            self.place.ids, operation, bucket, key, self._start(after), seconds, region=self.world.region, **rest
        )
        return self._inferred(call, "AWS::S3::Bucket", bucket)

    def sqs(
        self, operation: str, queue: str, after: float, seconds: float | None, *, account: str = "", **rest: Any
    ) -> Document:
        """Call a queue, of another account where one is given, and let X-Ray infer it."""
        call = subsegments.sqs_call(
            self.place.ids,
            operation,
            queue,
            self._start(after),
            seconds,
            region=self.world.region,
            account=account or self.world.account,
            **rest,
        )
        return self._inferred(call, "AWS::SQS::Queue", queue)

    def sns(self, topic_arn: str, after: float, seconds: float | None, **rest: Any) -> Document:
        """Publish to a topic, and let X-Ray infer it."""
        call = subsegments.sns_call(
            self.place.ids, topic_arn, self._start(after), seconds, region=self.world.region, **rest
        )
        return self._inferred(call, "AWS::SNS::Topic", topic_arn.rsplit(":", 1)[-1])

    def aws(self, service: str, operation: str, after: float, seconds: float | None, **rest: Any) -> Document:
        """Call any other AWS service, such as Secrets Manager."""
        return subsegments.sdk_call(
            self.place.ids, service, operation, self._start(after), seconds, region=self.world.region, **rest
        )

    def invoke(self, function: str, after: float, seconds: float | None, *, region: str = "", **rest: Any) -> Document:
        """Call a function; its own segments hang below the call's id."""
        return subsegments.lambda_call(
            self.place.ids, function, self._start(after), seconds, region=region or self.world.region, **rest
        )

    def http(self, method: str, url: str, after: float, seconds: float | None, **rest: Any) -> Document:
        """Call a host outside AWS; without seconds the call never ended."""
        return subsegments.http_call(self.place.ids, method, url, self._start(after), seconds, **rest)

    def add(self, *more: Document) -> None:
        """Add segments made elsewhere."""
        self._documents.extend(more)

    def send(self) -> str:
        """Send everything and return the trace's id."""
        return signals.trace(self.world, self._documents)

    def _start(self, after: float) -> float:
        return self._at.timestamp() + after

    def _inferred(self, call: Document, origin: str, name: str) -> Document:
        self._documents.append(segments.inferred_segment(self.place, call, origin, name))
        return call


def _bare(document: Document) -> Document:
    """Return a failed segment without its exception: a time-out leaves none."""
    kept = {key: value for key, value in document.items() if key != "cause"}
    if "subsegments" in kept:
        kept["subsegments"] = [
            _bare(inner) if inner["name"] == "Invocation" else inner for inner in kept["subsegments"]
        ]
    return kept
