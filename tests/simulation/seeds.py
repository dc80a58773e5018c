"""Which evenings every test run plays."""

from app.clock import SystemClock

SCARY = (0, 9, 24, 28, 29, 49, 62, 82, 158, 181)
"""Few seeds that reach every scary state (`sometimes.py`)."""
FIXED = (*SCARY, *(seed for seed in range(300) if seed not in SCARY))
TODAY = SystemClock().now().toordinal() * 1_000_000
"""Fresh seeds: the same all day long, others tomorrow."""
TODAYS = range(TODAY, TODAY + 100)
LONG = range(20_000)
