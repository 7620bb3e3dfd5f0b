"""What to call a resource in a sentence."""

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
