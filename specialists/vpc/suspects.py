"""Which parts of the network are in the way of what failed: what a rule accuses and whose changes are worth a look."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from domain.evidence import EvidenceBundle
from domain.resource import Resource
from specialists.vpc.attempts import Sign, failed_connections
from specialists.vpc.destinations import Destination, How, Place
from specialists.vpc.map import Map, map_of
from specialists.vpc.reachability import Kind, Obstacle, obstacles


@dataclass(frozen=True)
class Blockade:
    """One destination that could not be reached, the signs of that, and what is in the way, of one kind."""

    destination: Destination
    signs: tuple[Sign, ...]
    obstacles: tuple[Obstacle, ...]

    @property
    def parts(self) -> tuple[str, ...]:
        """EC2's ids of what is in the way."""
        return tuple(dict.fromkeys(part for one in self.obstacles for part in one.parts))

    @property
    def complete(self) -> bool:
        """Whether some subnet is cut off entirely."""
        return any(not one.partial for one in self.obstacles)

    @property
    def broken(self) -> bool:
        """Whether the way leads to something that is gone or failed."""
        return any(one.broken for one in self.obstacles)

    @property
    def lost(self) -> bool:
        """Whether a sign says by itself that the connection was never made, or the trace shows the call itself."""
        return any(sign.how is How.CONNECT or sign.traced for sign in self.signs)

    @property
    def named(self) -> bool:
        """Whether the evidence tells the destination."""
        return self.destination.place is not Place.ANYWHERE


def blockades(seen: EvidenceBundle, target: Resource, kind: Kind) -> tuple[Blockade, ...]:
    """Return what could not be reached because of obstacles of one kind, the surest first."""
    network = map_of(seen, target)
    found = [
        Blockade(where, signs, stops)
        for where, signs in _by_destination(failed_connections(seen, target)).items()
        if (stops := tuple(o for o in obstacles(network, where) if o.kind is kind))
    ]
    return tuple(sorted(found, key=lambda b: (not b.named, not b.complete, not b.lost, str(b.destination))))


def _by_destination(signs: Iterable[Sign]) -> Mapping[Destination, tuple[Sign, ...]]:
    """Group the signs; those without a destination count only where none has one."""
    grouped: dict[Destination, list[Sign]] = {}
    for sign in signs:
        grouped.setdefault(sign.destination, []).append(sign)
    named = {where: tuple(found) for where, found in grouped.items() if where.place is not Place.ANYWHERE}
    return named or {where: tuple(found) for where, found in grouped.items()}


def mount_target_stops(network: Map) -> tuple[Obstacle, ...]:
    """Return the security group obstacles on the way to every mount target that was seen (NFS, port 2049)."""
    targets = [i for i in network.interfaces if i.description.startswith("EFS mount target for ")]
    ways = [Destination(place=Place.PRIVATE, address=i.addresses[0], port=2049) for i in targets if i.addresses]
    if not ways:
        ways = [Destination(place=Place.HOST, host="the file system", port=2049)]
    found = [tuple(o for o in obstacles(network, way) if o.kind is Kind.GROUP) for way in ways]
    return found[0] if all(found) else ()
