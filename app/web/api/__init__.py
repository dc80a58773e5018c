"""The JSON interface under ``/api/v1``, for programs with a bearer token."""
