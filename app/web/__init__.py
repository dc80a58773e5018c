"""HTTP: webhooks, the JSON interface, pages, health. Knows the engine by its contract."""
