"""What every test shares: one thread, so that timings and the order of sums do not depend on the machine's load."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported; sub-processes inherit it
