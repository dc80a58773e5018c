"""Before the evening: people, one-to-ones, group, rules and the session, by the JSON API."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.rehearse.stage import Stage
from integrations.rehearsal.scene import Scene

RULES = (
    ("confidentiality", "What is said here stays here."),
    ("respect", "One person talks at a time, and everybody is listened to."),
    ("new members", "We say hello to new people together."),
    ("behaviour", "No screenshots and no recordings."),
)
TICKS = (
    "staff_meeting",
    "practised",
    "protection_explained",
    "removed_stay_out",
)


@dataclass
class Planned:
    """Ids of what was entered. ``people``: scene key -> person id."""

    people: dict[str, str] = field(default_factory=dict)
    group_id: str = ""
    session_id: str = ""
    meeting_id: int = 0
    links: dict[str, str] = field(default_factory=dict)

    def key_of(self, person_id: str) -> str:
        """The scene's key of a person, "" for nobody of the cast."""
        return next((k for k, v in self.people.items() if v == person_id), "")


async def enter_people(stage: Stage, scene: Scene, known: Planned) -> None:
    """Everybody of the scene who is not there yet, with a one-to-one for each client."""
    for key in scene.workers:
        if key in known.people:
            continue
        person = scene.cast[key]
        entered = {
            "kind": "worker",
            "name": person.name,
            "email": person.email,
            "platform_user_id": person.zoom_user_id,
        }
        made = await stage.ask("POST", "/people", entered)
        known.people[key] = made["id"]
    for key in scene.clients:
        if key in known.people:
            continue
        fields: dict[str, Any] = {
            "kind": "client",
            "name": scene.cast[key].name,
            "contact": "A parent, reached by telephone",
            "referrer": "The school's pastoral team",
            "known_to": known.people[scene.lead],
            "consent_to_take_part": True,
            "age_years": 15,
        }
        made = await stage.ask("POST", "/people", fields)
        known.people[key] = made["id"]
        talk = {
            "client_id": made["id"],
            "worker_id": known.people[scene.lead],
            "held_on": (stage.clock.now() - timedelta(days=14)).date().isoformat(),
            "channel": "telephone",
        }
        await stage.ask("POST", "/one-to-ones", talk)


async def enter_group(stage: Stage, scene: Scene, known: Planned) -> None:
    """The group and its agreed rules; the scene's lead leads it."""
    lead = known.people[scene.lead]
    if not known.group_id:
        made = await stage.ask("POST", "/groups", {"name": "Tuesday group"})
        known.group_id = made["id"]
        rules = [{"heading": h, "text": t} for h, t in RULES]
        body = {"rules": rules, "by": lead, "made_with": "the group, in September"}
        await stage.ask("PUT", f"/groups/{known.group_id}/rules", body)
    leads = sorted(known.people[k] for k in ("anna", "sam") if k in known.people)
    await stage.ask("PATCH", f"/groups/{known.group_id}", {"leads": leads})


async def enter_session(
    stage: Stage, scene: Scene, known: Planned, begins: datetime, policy: dict[str, Any]
) -> None:
    """Plan the session; make its meeting and links unless the scene wants none."""
    starts = begins + scene.starts_in
    workers = [{"person_id": known.people[scene.lead], "role": "lead"}]
    workers += [
        {"person_id": known.people[key], "role": "support"} for key in scene.support
    ]
    body = {
        "group_id": known.group_id,
        "platform": "zoom",
        "starts_at": starts.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "ends_at": (starts + scene.length)
        .isoformat(timespec="seconds")
        .replace("+00:00", "Z"),
        "title": scene.title,
        "purpose": "To practise an evening together.",
        "segments": 3,
        "workers": workers,
        "clients": [known.people[key] for key in scene.clients],
        "risk_assessment": True,
        "emergency_contacts": True,
        "policy": policy,
    }
    made = await stage.ask("POST", "/sessions", body)
    known.session_id, known.links, known.meeting_id = made["id"], {}, 0
    lead = known.people[scene.lead]
    for item in TICKS:
        await stage.ask(
            "PUT", f"/sessions/{known.session_id}/ticks/{item}", {"by": lead}
        )
    if scene.planned:
        await prepare(stage, known, lead)


async def prepare(stage: Stage, known: Planned, by: str) -> None:
    """Make the safe meeting and everybody's own link; remember both."""
    path = f"/sessions/{known.session_id}"
    told = await stage.ask("POST", f"{path}/prepare", {"by": by})
    for problem in told["problems"]:
        raise RuntimeError(problem)
    session = await stage.ask("GET", path)
    known.meeting_id = int(session["meetings"][0]["meeting_id"])
    for link in (await stage.ask("GET", f"{path}/links"))["items"]:
        known.links[known.key_of(link["person_id"])] = link["url"]
