"""Chaperone keeps online group sessions with young people safe.

Imports go down only: main, cli, rehearse > web > engine > integrations, exports,
privacy > store > config, clock, crypto > core (CONTRIBUTING.md tells why).
"""
