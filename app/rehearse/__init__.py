"""The rehearsal: whole evenings against the real service, in fast time, on this machine."""

from app.rehearse.run import rehearse

__all__ = ["rehearse"]
