"""Anna enters people, their consents and one-to-ones; Sam may look, and no further."""

from datetime import date

import pytest

from app.store import consents, dossiers, imports, people
from app.web.access import Role
from tests.web.conftest import BASE, Front
from tests.web.reading import Page, signed_in

pytestmark = pytest.mark.anyio

LEAD = Role.SESSION_LEAD


def everybody(front: Front) -> dict[str, people.Person]:
    """Name -> person."""
    store = front.evening.store
    with store.unit() as db:
        found = people.listed(db, store, active_only=False, limit=5_000)
    return {one.name: one for one in found}


def person(front: Front, name: str) -> str:
    return f"/people/{front.evening.people[name]}"


async def test_the_list_says_who_may_be_invited_and_what_is_lacking(
    front: Front,
) -> None:
    async with signed_in(front, role=LEAD) as anna:
        words = (await anna.open("/people")).words
        assert "Ben ✓ May be invited 15 years" in words
        assert "Dev ! Not ready to be invited 15 years, no one-to-one yet" in words
        assert "Sam ! Look at the papers" in words
        found = await anna.open("/people?find=CHLO")
        assert ("Chloe" in found.words, "Ben" in found.words) == (True, False)
        nobody = await anna.open("/people?find=<script>")
        assert "Nobody is called like that." in nobody.words
        assert "<script>" not in nobody.answer.text.split("</head>")[1]


async def test_anna_enters_a_client_with_consent(front: Front) -> None:
    async with signed_in(front, role=LEAD) as anna:
        page = await anna.press(
            "/people/new?kind=client",
            "Save",
            name="Fay",
            register_name="Faith",
            age_years="16",
            needs="Time to answer.",
            contact="Her aunt, 020 7946 0000",
            referrer="The school",
            known_to=front.evening.people["anna"],
            high_risk="1",
            risk_reviewed_on="01/11/2026",
            given_on="2026-11-02",
            giver="parent",
            given_by="Mrs Example",
            method="form",
        )
    assert page.status == 200
    assert "Saved." in page.words
    assert "Take part in online group sessions ✓ Holds A parent ( Mrs Example )" in (
        page.words
    )
    fay = everybody(front)["Fay"]
    assert fay.consent_to_take_part
    assert (fay.age_years, fay.high_risk) == (16, True)
    assert fay.risk_reviewed_on == date(2026, 11, 1)


async def test_what_was_typed_is_kept_and_each_fault_leads_to_its_field(
    front: Front,
) -> None:
    async with signed_in(front, role=LEAD) as anna:
        page = await anna.press(
            "/people/new?kind=client",
            "Save",
            name="Fay",
            age_years="old",
            risk_reviewed_on="soon",
            needs="Time & patience",
            given_on="2027-01-01",
        )
    assert page.status == 422
    assert page.words.startswith("Error: Enter a client")
    links = [given["href"] for tag, given in page.tags if tag == "a"]
    ids = {given.get("id") for _, given in page.tags}
    wrong = [link[1:] for link in links if link.startswith("#person-")]
    assert wrong == [
        "person-age_years",
        "person-risk_reviewed_on",
        "person-giver",
        "person-method",
        "person-given_on",
    ]
    assert set(wrong) <= ids
    kept = page.form("Save").fields
    assert (kept["name"], kept["age_years"], kept["needs"]) == (
        "Fay",
        "old",
        "Time & patience",
    )
    assert "Fay" not in everybody(front)


async def test_a_worker_with_papers(front: Front) -> None:
    async with signed_in(front, role=LEAD) as anna:
        page = await anna.press(
            f"{person(front, 'sam')}/change",
            "Save",
            job="Youth worker",
            shared_login="1",
            disclosure="enhanced",
            disclosure_on="2024-01-05",
            disclosure_renew_on="2026-11-16",
            training="Level 2",
            training_on="2026-01-05",
        )
        assert "To look at Disclosure check due again" in page.words
        page = await anna.press(
            f"{person(front, 'sam')}/change", "Save", disclosure_renew_on="2026-11-17"
        )
        assert "Papers in order" in page.words
    sam = everybody(front)["Sam"]
    assert (sam.shared_login, sam.email) == (True, "sam@charity.example")


async def test_a_box_that_was_unticked_stays_unticked(front: Front) -> None:
    async with signed_in(front, role=LEAD) as anna:
        path = f"{person(front, 'ben')}/change"
        await anna.press(path, "Save", high_risk="1")
        form = (await anna.open(path)).form("Save")
        assert form.fields.pop("high_risk") == "1"
        again = await anna.send(form, age_years="x")
        assert "high_risk" not in again.form("Save").fields
        await anna.send(again.form("Save"), age_years="15")
    assert not everybody(front)["Ben"].high_risk


async def test_names_that_bite_are_only_text(front: Front) -> None:
    async with signed_in(front, role=LEAD) as anna:
        for name in ("=1+1", "<script>alert(1)</script>", "\u202eeve"):
            page = await anna.press("/people/new?kind=client", "Save", name=name)
            assert page.status == 200
            assert "<script>alert" not in page.answer.text
            assert "<script>alert" not in (await anna.open("/people")).answer.text
        answer = await anna.client.get("/people/export")
    lines = answer.content.decode("utf-8-sig").split("\r\n")
    assert any(line.startswith("client,'=1+1,") for line in lines)
    assert answer.headers["content-type"].startswith("text/csv")
    assert "020 7946" not in answer.text


async def test_a_withdrawn_consent_shuts_the_gate_and_can_be_undone(
    front: Front,
) -> None:
    path = person(front, "ben")
    async with signed_in(front, role=LEAD) as anna:
        page = await anna.press(
            path, "Put it on file", giver="parent", method="phone", scope="take_part"
        )
        unsaid = await anna.press(page, "It is withdrawn from today", how=" ")
        assert "Write how you heard of it." in unsaid.words
        page = await anna.press(page, "It is withdrawn from today", how="He rang.")
        assert "Withdrawn 17 November 2026: He rang." in page.words
        assert not everybody(front)["Ben"].consent_to_take_part
        plan = (await front.evening.state()).plan
        assert plan is not None
        ben = plan.client(front.evening.people["ben"])
        assert ben is not None
        assert not ben.consent_to_take_part

        page = await anna.press(page, "Undo: it was not withdrawn")
    assert everybody(front)["Ben"].consent_to_take_part
    assert "Holds" in page.words


async def test_one_of_two_consents_is_enough(front: Front) -> None:
    store, now = front.evening.store, front.evening.clock.now()
    given = consents.Consent(
        person_id=front.evening.people["ben"],
        scope="take_part",
        given_on=now.date(),
        giver="parent",
        method="form",
    )
    with store.unit() as db:
        first, _ = (consents.add(db, store, given, now) for _ in range(2))
        consents.withdraw(db, store, first.id, "By mail.", now)
    assert everybody(front)["Ben"].consent_to_take_part


async def test_a_one_to_one_opens_the_gate_and_can_be_taken_back(front: Front) -> None:
    path, dev = person(front, "dev"), front.evening.people["dev"]
    async with signed_in(front, role=LEAD) as anna:
        page = await anna.open(path)
        form = next(f for f in page.forms if f.id == "talk")
        late = await anna.send(form, held_on="2026-11-18")
        assert late.status == 422
        assert "enter today or an earlier day" in late.words
        page = await anna.send(
            form,
            worker_id=front.evening.people["anna"],
            held_on="2026-11-17",
            channel="By telephone",
            covered_consent="1",
            covered_identity="1",
            outcome="Ready.\nA code word is agreed.",
        )
        assert "17 November 2026 with Anna By telephone" in page.words
        assert dossiers.COVERED["identity"] in page.words
        assert await one_to_ones(front, dev) == 1
        page = await anna.press(page, "Take back the talk of 17 November 2026")
        assert "None yet." in page.words
        assert await one_to_ones(front, dev) == 0


async def one_to_ones(front: Front, client: str) -> int:
    """How many talks the engine's plan counts for this client."""
    plan = (await front.evening.state()).plan
    found = plan.client(client) if plan is not None else None
    assert found is not None
    return len(found.one_to_ones)


async def test_leaving_can_be_undone_but_not_after_erasure(front: Front) -> None:
    path = person(front, "chloe")
    async with signed_in(front, role=LEAD) as anna:
        page = await anna.press(path, "Takes no part any more")
        assert "Takes no part any more." in page.words
        page = await anna.press(page, "Undo: is part of it again")
        assert everybody(front)["Chloe"].active
        page = await anna.press(page, "Takes no part any more")
        store, now = front.evening.store, front.evening.clock.now()
        with store.unit() as db:
            people.erase(db, front.evening.people["chloe"], now)
        refused = await anna.press(page, "Undo: is part of it again")
    assert "This person was erased." in refused.words


# --- who may ----------------------------------------------------------------------


async def test_a_worker_sees_names_but_no_contacts_and_no_forms(front: Front) -> None:
    async with signed_in(front, "sam") as sam:
        page = await sam.open(person(front, "ben"))
        assert page.status == 200
        for hidden in ("A parent", "The school", "High risk", "Change"):
            assert hidden not in page.words
        assert (await sam.open("/people/new")).status == 403
        assert (await sam.open("/people/export")).status == 403
        assert (await sam.open(f"{person(front, 'ben')}/change")).status == 403


@pytest.mark.parametrize("role", [Role.WORKER, Role.ADMINISTRATOR])
async def test_who_may_not_enter_people_enters_nobody(front: Front, role: Role) -> None:
    async with signed_in(front, role=LEAD) as anna:
        form = (await anna.open("/people/new?kind=client")).form("Save")
    async with signed_in(front, "sam", role) as sam:
        fields = {
            **form.fields,
            "name": "Fay",
            "csrf": csrf(await sam.open("/account")),
        }
        answer = await sam.client.post("/people", data=fields, headers={"origin": BASE})
    assert answer.status_code == 403
    assert "Fay" not in everybody(front)


def csrf(page: Page) -> str:
    return next(f.fields["csrf"] for f in page.forms if "csrf" in f.fields)


@pytest.mark.parametrize("path", ["/people", "/groups", "/people/import", "/plan"])
async def test_an_administrator_sees_nobody(front: Front, path: str) -> None:
    async with signed_in(front, role=Role.ADMINISTRATOR) as anna:
        page = await anna.open(path)
        assert page.status == 403
        assert "Ben" not in page.words
        home = await anna.open("/")
        links = {given.get("href") for tag, given in home.tags if tag == "a"}
    assert not {"/people", "/groups", "/plan", "/concerns"} & links
    assert {"/concern", "/accounts"} <= links


# --- a list -----------------------------------------------------------------------

LIST = """name;kind;known_to;consent_on;consent_giver;consent_method;reference
Gil;;Anna;2026-11-01;parent;form;C-1
"Hal, junior";client;Ivy;;;;C-2
Ivy;worker;;;;;
'=1+1;client;;;;;
"""


async def test_a_list_is_looked_at_and_then_entered_whole(front: Front) -> None:
    async with signed_in(front, role=LEAD) as anna:
        page = await anna.press("/people/import", "Look at the list", text=LIST)
        assert page.status == 200
        assert "4 people can be entered" in page.words
        assert "2 Gil client Anna yes" in page.words
        assert "Gil" not in everybody(front)
        page = await anna.press(page, "Enter all 4 people")
        assert "Gil" in page.words
    found = everybody(front)
    assert {"Gil", "Hal, junior", "Ivy", "=1+1"} <= set(found)
    assert found["Hal, junior"].known_to == found["Ivy"].id
    assert found["Gil"].consent_to_take_part


async def test_a_list_with_a_fault_enters_nobody_and_names_the_lines(
    front: Front,
) -> None:
    text = (
        "Name\tKind\tAge years\tKnown to\tConsent on\tReference\n"
        "Gil\tclient\t15\tAnna\t\tC-1\n"
        "\n"
        "\tclient\tten\tNobody\t\tC-1\n"
        "Hal\tpilot\t\t\t31/02/2026\t\n"
    )
    async with signed_in(front, role=LEAD) as anna:
        page = await anna.press("/people/import", "Look at the list", text=text)
        assert "Nobody was entered" in page.words
        for told in (
            "4 age_years Enter an age",
            "4 name Enter the name people call them.",
            "4 reference This reference is in line 2 already.",
            "4 known_to No worker has exactly this name, or two have.",
            "5 kind Write client or worker.",
            "5 consent_on Enter a day such as",
            "5 consent_giver Choose who gave it",
        ):
            assert told in page.words
        assert page.form("Look at the list").fields["text"] == text
        form = page.form("Look at the list")
        form.action = "/people/import"
        assert (await anna.send(form, key="k" * 16)).status == 422
    assert {"Gil", "Hal"} & set(everybody(front)) == set()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (" ", "Choose a file, or paste the list."),
        ("kind\nclient\n", "“name” is missing"),
        ("name,shoe size\nGil,7\n", "There is no column of this name here: shoe_size."),
        ("name,name\nGil,Gil\n", "This column is there twice."),
        ("name\n", "There is nobody below the first line."),
        ('name\n"Gil\n', "a quotation mark is not closed"),
        ("name\nZo\ufffd\n", "A letter here was lost."),
        ("name,kind\nGil,client,more\n", "more cells than the first line"),
        ("name\n" + "x" * 121, "Use at most 120 characters"),
        ("name\n" + "Gil\n" * 1_001, "A list has at most 1000 people."),
        ("name\n" + " " * 400_001, "Bring it in in parts."),
    ],
)
async def test_lists_that_cannot_be_read(front: Front, text: str, told: str) -> None:
    async with signed_in(front, role=LEAD) as anna:
        page = await anna.press("/people/import", "Look at the list", text=text)
    assert told in page.words


async def test_nobody_of_a_list_is_entered_when_the_last_line_fails(
    front: Front,
) -> None:
    """Somebody took the worker away between looking and entering."""
    text = "name,known_to\nGil,\nHal,Sam\n"
    store, now = front.evening.store, front.evening.clock.now()
    async with signed_in(front, role=LEAD) as anna:
        page = await anna.press("/people/import", "Look at the list", text=text)
        with store.unit() as db:
            people.deactivate(db, front.evening.people["sam"], now)
        refused = await anna.press(page, "Enter all 2 people")
    assert refused.status == 422
    assert {"Gil", "Hal"} & set(everybody(front)) == set()


async def test_the_example_can_be_brought_in(front: Front) -> None:
    async with signed_in(front, role=LEAD) as anna:
        example = (await anna.client.get("/people/import/example")).text
        with front.evening.store.unit() as db:
            now = front.evening.clock.now()
            sheet = imports.read(db, front.evening.store, example, now)
    assert sheet.faults == []
    assert [e.person.name for e in sheet.entries] == ["Ben", "Anna"]
    assert all(e.note for e in sheet.entries)
