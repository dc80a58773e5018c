"""Evenings in which things break; what each of them proves."""
