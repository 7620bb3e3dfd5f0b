"""What to call a resource in a sentence."""

from collections.abc import Sequence

from domain.graph import ServiceGraph
from domain.resource import resource_from_arn


def label(resource_id: str, graph: ServiceGraph) -> str:
    """Return "DynamoDB table `orders`", also for a resource outside the graph."""
    node = graph.node(resource_id)
    if node is not None:
        return node.label
    try:
        return resource_from_arn(resource_id).label
    except ValueError:
        return f"`{resource_id}`"


def short(resource_id: str, graph: ServiceGraph) -> str:
    """Return "`orders`"."""
    return f"`{label(resource_id, graph).split('`')[1]}`"


def elsewhere(resource_id: str, graph: ServiceGraph) -> str:
    """Return " in us-east-1" or " of account 2…" for what is called from another Region or account, else nothing."""
    node = graph.node(resource_id)
    callers = [caller for caller in map(graph.node, graph.callers(resource_id)) if caller is not None]
    if node is None:
        return ""
    region = f" in {node.region}" if node.region and _all_differ(node.region, [c.region for c in callers]) else ""
    account = node.account and _all_differ(node.account, [c.account for c in callers])
    return f"{f' of account {node.account}' if account else ''}{region}"


def _all_differ(own: str, others: Sequence[str]) -> bool:
    known = [other for other in others if other]
    return bool(known) and own not in known
