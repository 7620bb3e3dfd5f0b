"""How the interpreter shares itself among the looks' threads and the event loop that acknowledges people."""

import gc
import sys

SWITCH_SECONDS = 0.0005
"""How long a looking thread may hold the interpreter: Python's 5 ms times thirty threads would keep acks waiting."""

COLLECTING = (50_000, 20, 50)
"""When garbage is looked for. A full collection walks boto3's models too and stops everything for a tenth of a second;
by Python's own thresholds there are several in one investigation."""


def tune() -> None:
    """Set both, for the whole process."""
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.set_threshold(*COLLECTING)
