"""One signed outgoing webhook, for an SMS or chat gateway."""
