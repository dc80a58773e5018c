"""A simulated platform: the truth of who is in the room, and servers that tell of it."""
