"""The simulation: whole evenings from seeds, in virtual time, with everything that breaks.

See docs/simulation.md. It stands beside `app.rehearse`: the rehearsal shows an evening to
people, the simulation plays thousands to find the one in which a promise breaks.
"""

from app.simulate.many import Run, Simulator, Told

__all__ = ["Run", "Simulator", "Told"]
