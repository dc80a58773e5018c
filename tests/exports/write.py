"""Write the golden files and the published schema anew; look at the difference."""

import json

from app.core.timeline import timeline
from app.exports import EXPORTS
from app.exports.schema import record_schema
from tests.core.evening import evening
from tests.exports.test_exports import GOLDEN, SCHEMA, whole


def main() -> None:
    """Overwrite them all."""
    for suffix, export in EXPORTS.items():
        (GOLDEN / f"evening.{suffix}").write_bytes(export(whole()))
    SCHEMA.write_text(json.dumps(record_schema(), indent=2) + "\n", encoding="utf-8")
    lines = (f"{x.at:%H:%M:%S} {x.who_kind:6} {x.text}\n" for x in timeline(evening()))
    story = GOLDEN.parents[1] / "core" / "golden" / "timeline.txt"
    story.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
