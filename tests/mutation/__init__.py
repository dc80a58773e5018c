"""Generated mutants: small mistakes put into the rules, each to be noticed by a test."""
