"""What could be done about what feeds a function: read it again, skip what blocks it, read it faster."""

from collections.abc import Iterator

from domain.action import Effect, ProposedAction, Risk
from domain.evidence import Evidence, EvidenceBundle
from domain.report import RankedHypothesis
from specialists.awslambda.evidence import (
    EventSources,
    Mapping,
)
from specialists.contract import Proposal, proposal
from specialists.kit.actions import proposed
from specialists.kit.proposals import KEPT_AS_CODE, enabled, shown

UPDATE_MAPPING = ("lambda", "UpdateEventSourceMapping")
ENOUGH_RETRIES = 3
MOST_PARALLEL = 10


@proposal("esm-disabled")
def enable_mapping(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer to enable the function's mappings that are switched off."""
    ages = {"sqs": "ApproximateAgeOfOldestMessage"}
    for found, mapping in _mappings(accepted, bundle):
        if mapping.state == "Disabled" and mapping.source_arn:
            age = ages.get(mapping.service, "IteratorAge")
            yield enabled(accepted, found, mapping.uuid, accepted.resource, mapping.source_arn, age)


@proposal("stream-poison-record")
def limit_retries(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer to split a batch that fails without end and to give it up, where what is given up goes somewhere."""
    for found, mapping in _mappings(accepted, bundle):
        if mapping.service in {"kinesis", "dynamodb"} and mapping.retries == -1 and mapping.on_failure:
            yield _limited(accepted, mapping, found)


def _limited(accepted: RankedHypothesis, mapping: Mapping, found: Evidence) -> ProposedAction:
    target = mapping.on_failure.rsplit(":", 1)[-1]
    return proposed(
        "lambda.limit_retries",
        call=UPDATE_MAPPING,
        parameters={"UUID": mapping.uuid, "BisectBatchOnFunctionError": True, "MaximumRetryAttempts": ENOUGH_RETRIES},
        resource=accepted.resource,
        title=f"Give up a batch of `{mapping.source_name}` after {ENOUGH_RETRIES} retries, split",
        rationale="A record that cannot be worked on is tried without end, and its shard waits behind it.",
        expected_effect=f"The batch is halved until the record stands alone; its place is sent to `{target}`.",
        risk=Risk.MEDIUM,
        undo="Set MaximumRetryAttempts back to -1"
        + ("." if mapping.bisects else " and BisectBatchOnFunctionError to false."),
        verification="IteratorAge of the function falls.",
        effect=Effect.MENDS,
        trade_off=f"the record is skipped: read it from the stream by what `{target}` got, before it expires",
        evidence=shown(accepted, found),
    )


@proposal("stream-consumer-slow")
def raise_parallelization(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer to work on twice as many batches of a shard at once."""
    for found, mapping in _mappings(accepted, bundle):
        now = mapping.parallelization
        if mapping.service not in {"kinesis", "dynamodb"} or now is None or now >= MOST_PARALLEL or not mapping.enabled:
            continue
        target = min(2 * now, MOST_PARALLEL)
        yield proposed(
            "lambda.set_parallelization",
            call=UPDATE_MAPPING,
            parameters={"UUID": mapping.uuid, "ParallelizationFactor": target},
            resource=accepted.resource,
            title=f"Work on {target} batches of each shard of `{mapping.source_name}` at once",
            rationale=f"Records come faster than {now} at a time are handled.",
            expected_effect="The function catches up, where its concurrency allows it.",
            risk=Risk.MEDIUM,
            undo=f"Set ParallelizationFactor back to {now}.",
            verification="IteratorAge of the function falls.",
            effect=Effect.RELIEVES,
            trade_off=f"twice the concurrency is used, and what it calls gets more at once; {KEPT_AS_CODE}",
            evidence=shown(accepted, found),
        )


def _mappings(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[tuple[EventSources, Mapping]]:
    return ((found, m) for found in bundle.of(EventSources, accepted.resource) for m in found.mappings)


SOURCE_PROPOSALS: tuple[Proposal, ...] = (
    enable_mapping,
    limit_retries,
    raise_parallelization,
)
