"""Alarms, links and invitations by mail."""
