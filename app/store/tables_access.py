"""The tables of who may come in: tokens, sign-in links, signed-in browsers."""

from datetime import datetime

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel

from app.store.columns import moment


class TokenRow(SQLModel, table=True):
    """A bearer token of the JSON API; only its keyed digest is kept."""

    __tablename__ = "tokens"

    id: str = Field(primary_key=True)
    name: str
    digest: str = Field(unique=True)
    scopes: list[str] = Field(sa_column=Column(JSON, nullable=False), default=[])
    created_at: datetime = moment()
    last_used_at: datetime | None = moment(null=True)
    revoked_at: datetime | None = moment(null=True)


class SignInLinkRow(SQLModel, table=True):
    """A single-use way in; only its keyed digest is kept."""

    __tablename__ = "sign_in_links"

    digest: str = Field(primary_key=True)
    person_id: str
    role: str
    created_at: datetime = moment()
    expires_at: datetime = moment()
    used_at: datetime | None = moment(null=True)


class WebSessionRow(SQLModel, table=True):
    """A signed-in browser; only the keyed digest of its cookie is kept."""

    __tablename__ = "web_sessions"

    digest: str = Field(primary_key=True)
    person_id: str
    role: str
    csrf: str
    created_at: datetime = moment()
    seen_at: datetime = moment()
    expires_at: datetime = moment(index=True)
