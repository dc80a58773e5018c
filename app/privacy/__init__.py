"""Data protection: what lies sealed under which key, holds, retention, erasure.

Stands on the store and below the engine. What is kept for how long, and why, is told in
docs/data-inventory.md.
"""
