"""A disk that lost a page of the database."""

from pathlib import Path

from sqlalchemy import Engine, text


def spoil(engine: Engine, table: str) -> None:
    """Overwrite the first page of a table of an SQLite file."""
    with engine.connect() as db:
        db.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        query = text("SELECT rootpage FROM sqlite_master WHERE name = :table")
        page = int(db.execute(query, {"table": table}).scalar_one())
        size = int(db.execute(text("PRAGMA page_size")).scalar_one())
    engine.dispose()
    with Path(str(engine.url.database)).open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
