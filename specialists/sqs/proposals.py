"""What could be done about a queue that nothing reads: switch its event source mapping on again."""

from collections.abc import Iterator

from domain.action import ProposedAction, Risk
from domain.evidence import EvidenceBundle
from domain.report import RankedHypothesis
from specialists.contract import Proposal, proposal
from specialists.kit.actions import proposed
from specialists.sqs.evidence import Consumers


@proposal("esm-disabled")
def enable_mapping(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer to enable each switched-off mapping of the function that was seen on a queue of the case."""
    for found in bundle.of(Consumers):
        for mapping in found.mappings:
            if (
                mapping.function != accepted.resource
                or mapping.state != "Disabled"
                or found.id not in accepted.evidence
            ):
                continue
            queue = found.resource.rsplit(":", 1)[-1]
            yield proposed(
                "lambda.enable_mapping",
                call=("lambda", "UpdateEventSourceMapping"),
                parameters={"UUID": mapping.uuid, "Enabled": True},
                resource=accepted.resource,
                title=f"Let `{mapping.name}` read `{queue}` again",
                rationale="The mapping is disabled, and messages wait.",
                expected_effect="The function works the waiting messages off, as fast as its concurrency allows.",
                risk=Risk.MEDIUM,
                undo="Disable the mapping again.",
                verification="The mapping's State says Enabled, and ApproximateAgeOfOldestMessage falls.",
                evidence=accepted.evidence[:3],
            )


PROPOSALS: tuple[Proposal, ...] = (enable_mapping,)
