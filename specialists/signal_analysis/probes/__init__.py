"""What signal analysis looks at: metrics, the service graph and error lines, of all resources together."""

from specialists.contract import Probe
from specialists.signal_analysis.probes.errorlogs import error_lines
from specialists.signal_analysis.probes.graph import service_graph
from specialists.signal_analysis.probes.metrics import metrics, onsets

PROBES: tuple[Probe, ...] = (metrics, onsets, service_graph, error_lines)
