"""The pure core: what is so (fold) and what must be done (decide). No I/O, time or chance."""
