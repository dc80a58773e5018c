"""``chaperone bench``: speed and memory against their goals, on this machine, now.

Every figure is a median of five rounds. Throughput is a ratio against a bare FastAPI
endpoint behind the same server in the same run, so that it can be compared from machine
to machine. Load comes from another process over 127.0.0.1.
"""

from app.bench.program import run

__all__ = ["run"]
