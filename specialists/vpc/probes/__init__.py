"""Everything that the VPC specialist looks at."""

from specialists.contract import Probe
from specialists.vpc.probes import guards, parts, place, signals

PROBES: tuple[Probe, ...] = (*place.PROBES, *parts.PROBES, *guards.PROBES, *signals.PROBES)
