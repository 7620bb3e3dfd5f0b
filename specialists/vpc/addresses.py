"""Sets of addresses: does a CIDR block hold the other side of a connection, or may it? Pure."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from specialists.vpc.destinations import Destination, Place

Network = IPv4Network | IPv6Network
DEFAULTS = {4: "0.0.0.0/0", 6: "::/0"}


@dataclass(frozen=True)
class Peer:
    """The other side of a connection, as far as it is known.

    `networks` holds its address, or the blocks it lies in; without any it is some public address when `public`, else
    any address at all.
    """

    version: int = 4
    networks: tuple[Network, ...] = ()
    public: bool = False

    @property
    def private(self) -> bool:
        """Whether all its known addresses are private ones."""
        return bool(self.networks) and not any(network.network_address.is_global for network in self.networks)

    @property
    def default(self) -> str:
        """The default route that would lead there."""
        return DEFAULTS[self.version]


def peer_of(destination: Destination) -> Peer:
    """Return the other side of a connection to a destination."""
    if destination.address:
        return peer_in((destination.address,))
    return Peer(public=destination.place not in {Place.HOST, Place.ANYWHERE})


def peer_in(cidrs: tuple[str, ...]) -> Peer:
    """Return the other side that lies in these blocks; they must be of one family."""
    networks = tuple(ip_network(cidr, strict=False) for cidr in cidrs if cidr)
    return Peer(version=networks[0].version if networks else 4, networks=networks)


def may_hold(cidr: str, peer: Peer) -> bool:
    """Tell whether some address of the peer lies in the block."""
    block = network_of(cidr)
    if block is None or block.version != peer.version:
        return False
    if peer.networks:
        return any(block.overlaps(network) for network in peer.networks)
    return not (peer.public and block.is_private)


def holds_all(cidr: str, peer: Peer) -> bool:
    """Tell whether every address of the peer lies in the block."""
    block = network_of(cidr)
    if block is None or block.version != peer.version:
        return False
    return all(_inside(network, block) for network in peer.networks) if peer.networks else block.prefixlen == 0


def _inside(network: Network, block: Network) -> bool:
    first, last = int(block.network_address), int(block.broadcast_address)
    return first <= int(network.network_address) and int(network.broadcast_address) <= last


def network_of(cidr: str) -> Network | None:
    """Read a CIDR block; None for anything else, such as a prefix list's id."""
    try:
        return ip_network(cidr, strict=False)
    except ValueError:
        return None
