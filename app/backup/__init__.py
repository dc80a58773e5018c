"""Backups: made while the service runs, tried out by restoring them, put back by anybody.

docs/decisions/0014-a-backup-is-a-dump-by-table.md says why they are as they are;
docs/restore.md is the page to print.
"""
