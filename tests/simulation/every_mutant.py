"""All mutants, by topic."""

from tests.simulation import (
    mutants,
    mutants_of_people,
    mutants_of_store,
    mutants_of_time,
    mutants_of_wires,
)

MUTANTS = (
    *mutants.MUTANTS,
    *mutants_of_people.MUTANTS,
    *mutants_of_time.MUTANTS,
    *mutants_of_wires.MUTANTS,
    *mutants_of_store.MUTANTS,
)
