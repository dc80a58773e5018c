"""Write the golden files and the published schema anew; look at the difference."""

import json

from app.core.timeline import timeline
from app.exports import EXPORTS
from app.exports.schema import record_schema
from tests.core.evening import evening
from tests.exports.test_exports import SCHEMA, golden, golden_file, whole


def main() -> None:
    """Overwrite them all."""
    for suffix, export in EXPORTS.items():
        golden_file(suffix).write_bytes(golden(suffix, export(whole())))
    SCHEMA.write_text(json.dumps(record_schema(), indent=2) + "\n", encoding="utf-8")
    lines = (f"{x.at:%H:%M:%S} {x.who_kind:6} {x.text}\n" for x in timeline(evening()))
    story = golden_file("csv").parents[2] / "core" / "golden" / "timeline.txt"
    story.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
