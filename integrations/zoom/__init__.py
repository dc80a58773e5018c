"""Zoom: webhooks in, REST calls out. README.md says what an administrator must tick."""
