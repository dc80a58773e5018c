"""The tables of accounts: who may sign in, by what, and when somebody tried.

The rules of :mod:`app.store.tables` hold here too. Passkeys, a second factor and
break-glass will be tables of their own beside these: whatever proves a person points to
``accounts.id``.
"""

from datetime import datetime

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field, SQLModel

from app.store.columns import moment, sealed


class AccountRow(SQLModel, table=True):
    """A worker's account. The address lies sealed; its keyed digest finds it again."""

    __tablename__ = "accounts"

    id: str = Field(primary_key=True)
    person_id: str = Field(unique=True)
    email_digest: str = Field(unique=True)
    email_sealed: bytes = sealed(null=False)
    roles: list[str] = Field(sa_column=Column(JSON, nullable=False), default=[])
    password_sealed: bytes | None = sealed()
    password_set_at: datetime | None = moment(null=True)
    active: bool = True
    created_at: datetime = moment()
    updated_at: datetime = moment()


class AccountLinkRow(SQLModel, table=True):
    """A single-use link by mail: an invitation, or a way to a new password."""

    __tablename__ = "account_links"

    digest: str = Field(primary_key=True)
    account_id: str = Field(index=True)
    kind: str
    created_at: datetime = moment()
    expires_at: datetime = moment(index=True)
    used_at: datetime | None = moment(null=True)


class IdentityRow(SQLModel, table=True):
    """An account at the organisation's sign-in provider: a keyed digest of who they are."""

    __tablename__ = "account_identities"

    digest: str = Field(primary_key=True)
    account_id: str = Field(index=True)
    created_at: datetime = moment()


class SignInTryRow(SQLModel, table=True):
    """Somebody tried to sign in under an address, known here or not."""

    __tablename__ = "sign_in_tries"
    __table_args__ = (Index("sign_in_tries_of", "email_digest", "at"),)

    id: str = Field(primary_key=True)
    email_digest: str
    browser_digest: str = ""
    mode: str
    state: str
    at: datetime = moment(index=True)
