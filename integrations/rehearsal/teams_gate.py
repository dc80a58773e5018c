"""The simulated login: discovery, tokens for client credentials, and key documents."""

from __future__ import annotations

from datetime import datetime, timedelta

from integrations.rehearsal.rooms import Json
from integrations.rehearsal.teams_desk import Answer, GraphError
from integrations.rehearsal.teams_keys import Signer
from integrations.rehearsal.teams_tenant import Tenant, new_id

TOKEN_LIFE = timedelta(hours=1)
LOGIN = "https://login.microsoftonline.com"
GRAPH = "https://graph.microsoft.com"
CONNECTOR = "https://api.botframework.com"


class TeamsGate:
    """Who holds which token. A token opens one audience only."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self._tokens: dict[str, tuple[str, datetime]] = {}

    def discovery(self, tenant_id: str, login: str = LOGIN) -> Answer:
        """OpenID configuration of one tenant, as msal asks for it."""
        if tenant_id not in (self.tenant.tenant_id, "common", "botframework.com"):
            error = {"error": "invalid_tenant", "error_description": "AADSTS90002"}
            return Answer(400, error)
        base = f"{login}/{tenant_id}"
        return Answer(
            200,
            {
                "issuer": f"{LOGIN}/{tenant_id}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "jwks_uri": f"{login}/common/discovery/v2.0/keys",
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
                "response_types_supported": ["code"],
                "subject_types_supported": ["pairwise"],
            },
        )

    def issue(self, tenant_id: str, form: dict[str, str], now: datetime) -> Answer:
        """POST /{tenant}/oauth2/v2.0/token, grant client_credentials.

        A certificate's assertion is taken unread: its signature is msal's matter.
        """
        proof = form.get("client_secret") == self.tenant.client_secret or form.get(
            "client_assertion"
        )
        known = form.get("client_id") == self.tenant.app_id and proof
        if tenant_id != self.tenant.tenant_id or not known:
            return _refusal("invalid_client", "AADSTS7000215: Invalid client secret.")
        if form.get("grant_type") != "client_credentials":
            return _refusal("unsupported_grant_type", "AADSTS70003")
        audience = form.get("scope", "").removesuffix("/.default")
        if audience not in (GRAPH, CONNECTOR):
            return _refusal("invalid_scope", "AADSTS70011: The scope is not valid.")
        text = new_id("token", len(self._tokens), now.isoformat())
        self._tokens[text] = (audience, now + TOKEN_LIFE)
        seconds = int(TOKEN_LIFE.total_seconds())
        return Answer(
            200,
            {
                "token_type": "Bearer",
                "expires_in": seconds,
                "ext_expires_in": seconds,
                "access_token": text,
            },
        )

    def revoke_tokens(self) -> None:
        """Every token dies, as when the secret is changed."""
        self._tokens.clear()

    def check(
        self, authorization: str, audience: str, permission: str, now: datetime
    ) -> None:
        """Raises `GraphError` 401 or 403."""
        text = authorization.removeprefix("Bearer ")
        held, ends = self._tokens.get(text, ("", now))
        if held != audience or ends <= now:
            message = "Lifetime validation failed, the token is expired."
            headers = {"WWW-Authenticate": 'Bearer realm=""'}
            raise GraphError(401, "InvalidAuthenticationToken", message, headers)
        if permission and permission not in self.tenant.permissions:
            message = "Insufficient privileges to complete the operation."
            raise GraphError(403, "Authorization_RequestDenied", message)


def key_document(issuer: str, jwks_uri: str) -> Json:
    return {
        "issuer": issuer,
        "jwks_uri": jwks_uri,
        "id_token_signing_alg_values_supported": ["RS256"],
    }


def keys(signer: Signer) -> Answer:
    return Answer(200, signer.jwks())


def _refusal(error: str, description: str) -> Answer:
    body = {"error": error, "error_description": description, "error_codes": []}
    return Answer(401 if error == "invalid_client" else 400, body)
