"""Sign-in by the organisation's own accounts: Entra ID, or any OpenID Connect provider."""
