"""Whatever X-Ray hands over is read without an exception, and no ARN comes out that the documents do not make up."""

import json
import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.resource import resource_from_arn
from orchestrator.trace.documents import read_documents
from orchestrator.trace.reading import read_trace
from tests.support.traces import ACCOUNT, HOME, REGION, TRACE, arn

IDS = st.sampled_from(["a", "b", "c", "d", "e", ""])
NAMES = st.one_of(st.sampled_from(["DynamoDB", "SQS", "S3", "Lambda", "SNS", "lambda-proxy/prod", "api.stripe.com/v1", "orders", "KMS"]), st.text(max_size=8))  # fmt: skip
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), NAMES,
    st.sampled_from([arn("sqs", "q"), arn("dynamodb", "table/t"), "https://sqs.us-east-2.amazonaws.com/999999999999/q", "us-east-2", "999999999999", "²"]),
    st.lists(st.sampled_from(["orders", arn("sns", "t")]), max_size=2),
)  # fmt: skip
AWS = st.dictionaries(
    st.sampled_from(["operation", "table_name", "queue_url", "topic_arn", "bucket_name", "function_name", "function_arn", "resource_arn",
                     "resource_names", "region", "account_id", "retries", "key_id", "secret_id", "api_gateway"]),
    VALUES, max_size=5,
)  # fmt: skip
CAUSE = st.one_of(IDS, VALUES, st.fixed_dictionaries({"exceptions": st.lists(st.dictionaries(st.sampled_from(["type", "message", "stack"]), VALUES), max_size=2)}))  # fmt: skip
FIELDS: dict[str, Any] = {
    "id": IDS, "name": st.one_of(NAMES, VALUES), "start_time": st.one_of(st.floats(0, 2e9), VALUES), "end_time": st.one_of(st.floats(0, 2e9), VALUES),
    "parent_id": IDS, "namespace": st.sampled_from(["aws", "remote", "local", "", None]), "type": st.sampled_from(["subsegment", None]),
    "origin": st.one_of(st.sampled_from(["AWS::Lambda", "AWS::Lambda::Function", "AWS::DynamoDB::Table", "AWS::SNS", "AWS::ApiGateway::Stage"]), VALUES),
    "inferred": st.booleans(), "error": VALUES, "fault": VALUES, "throttle": VALUES, "aws": st.one_of(AWS, VALUES), "cause": CAUSE,
    "http": st.one_of(VALUES, st.fixed_dictionaries({"request": st.dictionaries(st.sampled_from(["url", "method"]), VALUES), "response": st.dictionaries(st.just("status"), VALUES)})),
    "resource_arn": VALUES, "links": st.one_of(VALUES, st.lists(st.dictionaries(st.just("trace_id"), VALUES), max_size=2)), "metadata": st.one_of(VALUES, st.fixed_dictionaries({"default": st.one_of(VALUES, st.dictionaries(st.sampled_from(["rpc.service", "aws.s3.bucket", "aws.remote.resource.type"]), VALUES, max_size=2))})), "annotations": st.dictionaries(st.text(max_size=3), VALUES, max_size=2),
}  # fmt: skip
NODE = st.fixed_dictionaries({}, optional=FIELDS)
DOCUMENT = st.recursive(
    NODE,
    lambda inner: st.builds(lambda n, s: {**n, "subsegments": s}, NODE, st.lists(inner, max_size=3)),
    max_leaves=6,
)


def facts_make_up(resource_id: str, text: str) -> bool:
    """Whether the ARN's account, Region and name all stand in the documents or are X-Ray's own."""
    resource = resource_from_arn(resource_id)
    return (
        (resource.account in {"", ACCOUNT} or resource.account in text)
        and (resource.region in {"", REGION} or resource.region in text)
        and resource.name in text
    )


@settings(max_examples=150, deadline=None)
@given(st.lists(DOCUMENT, min_size=1, max_size=5))
def test_any_documents_are_read_without_inventing_an_arn(documents: list[dict[str, Any]]) -> None:
    texts = [json.dumps({"start_time": 1795169000.0, **d}) for d in documents]
    reading = read_trace(read_documents(TRACE, texts), HOME)
    if reading is None:
        return
    said = json.dumps(documents, ensure_ascii=False).replace("\\\\", "\\")

    assert all(facts_make_up(node.id, said) for node in reading.graph.nodes if node.arn)
    ids = {node.id for node in reading.graph.nodes}
    assert all({edge.source, edge.target} <= ids for edge in reading.graph.edges)
    assert json.dumps([e.dump() for e in reading.evidence])
    assert all(re.fullmatch(r"E-[0-9a-f]{10}", e.id) for e in reading.evidence)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(max_size=40), max_size=5))
def test_any_text_is_read_without_an_exception(texts: list[str]) -> None:
    tree = read_documents(TRACE, texts)

    assert tree.unreadable + len(tree.segments) <= len(texts)
