"""The rehearsal: whole evenings against the real service, in fast time, on this machine."""

from app.rehearse.run import rehearse
from integrations.rehearsal.scene import names as scenes

__all__ = ["rehearse", "scenes"]
