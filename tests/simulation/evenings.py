"""Small evenings with one thing wrong each: what mutants are tried on."""

from app.simulate.scenario import Fault, Scenario, Step

PEOPLE = ("ben", "chloe", "dev")
ALWAYS = {"at": 0.0, "lasts": 780.0}


def coming(*workers: str) -> list[Step]:
    """Anna opens, the others come and are let in."""
    steps = [Step(at=20, do="arrive", who="anna")]
    for number, who in enumerate((*workers, *PEOPLE)):
        steps.append(Step(at=25 + 2 * number, do="arrive", who=who))
    steps.append(Step(at=50, do="admit"))
    return steps


def evening(*steps: Step, faults: tuple[Fault, ...] = (), **more: object) -> Scenario:
    """Anna, Sam, Ben, Chloe and Dev; five minutes and a half."""
    fields: dict[str, object] = {
        "seed": 1,
        "clients": PEOPLE,
        "heals_at": 240.0,
        "ends_at": 340.0,
        **more,
    }
    rows = sorted((*coming("sam"), *steps), key=lambda step: step.at)
    return Scenario(steps=tuple(rows), faults=faults, **fields)  # type: ignore[arg-type]


def goes(who: str, at: float) -> Step:
    return Step(at=at, do="leave", who=who)


def comes(who: str, at: float, **args: object) -> Step:
    return Step(at=at, do="arrive", who=who, args=args)


NOBODY_LEFT = (goes("sam", 100.0), goes("anna", 110.0))
LOST = Fault(code="F1", kind="lost", **ALWAYS)

ALONE = evening(*NOBODY_LEFT)
ALONE_POLLS_ONLY = evening(*NOBODY_LEFT, faults=(LOST,))
ALONE_WEBHOOKS_ONLY = evening(*NOBODY_LEFT, live_roster=False)
OUTAGE = evening(
    *NOBODY_LEFT, faults=(Fault(code="F7", kind="503", at=168.0, lasts=10.0),)
)
GHOST = evening(
    *NOBODY_LEFT, faults=(Fault(code="F9", kind="ghost", at=165.0, lasts=9.0),)
)
KILLED = evening(
    *NOBODY_LEFT, faults=(Fault(code="F11", kind="at once", at=160.0, lasts=5.0),)
)
FULL = evening(
    *NOBODY_LEFT, faults=(Fault(code="F12", kind="full", at=120.0, lasts=120.0),)
)
SET_BACK = evening(
    *NOBODY_LEFT, faults=(Fault(code="F13", kind="step", at=130.0, amount=-3600.0),)
)
SET_BACK_LATE = evening(
    goes("sam", 150.0),
    goes("anna", 160.0),
    faults=(Fault(code="F13", kind="step", at=190.0, amount=-3600.0),),
)
REORDERED = tuple(
    evening(
        goes("sam", 100.0),
        goes("anna", 104.0),
        comes("anna", 108.0),
        goes("anna", 109.0),
        faults=(Fault(code="F4", kind="order", at=107.0, lasts=3.0, amount=20.0),),
        live_roster=False,
        seed=seed,
    )
    for seed in range(1, 5)
)
BREAKOUT = evening(
    Step(at=90, do="breakout", who="anna", args={"people": ["ben", "chloe"]}),
)
IMPOSTOR = evening(
    goes("dev", 80.0),
    comes("mallory", 90.0, link_of="dev", name="Anna Price"),
    Step(at=95, do="admit", who="mallory"),
    *NOBODY_LEFT,
)
CALLER = evening(
    comes("eve", 90.0, via="phone"),
    Step(at=95, do="admit", who="eve"),
    *NOBODY_LEFT,
)
LIES = evening(
    *NOBODY_LEFT,
    *(
        Step(at=112.0 + n, do="lie", who="sam", args={"what": "joined", "how": how})
        for n, how in enumerate(
            ("other secret", "altered", "unsigned", "stale", "future", "respaced")
        )
    ),
)
BACK_UNHEARD = evening(
    *NOBODY_LEFT,
    comes("anna", 161.0),
    faults=(Fault(code="F6", kind="blackout", at=155.0, lasts=60.0),),
)
EVERYBODY_STAYS = evening()
NO_STORE = evening(
    *NOBODY_LEFT,
    faults=(Fault(code="F12", kind="full", at=99.0, lasts=30.0),),
    ends_at=290.0,
)
"""Over before the platform's own log of webhooks is read, which makes good what is lost."""

AT_THE_DOOR = evening(Step(at=95, do="hold", who="sam"), goes("anna", 110.0))
HOST_GONE = evening(Step(at=90, do="make host", who="ben"), *NOBODY_LEFT)
NOTETAKER = evening(
    goes("dev", 78.0),
    comes("notetaker", 80.0, link_of="dev"),
    Step(at=85, do="admit", who="notetaker"),
    *NOBODY_LEFT,
    remove_enabled=False,
)
STRANGER = evening(comes("kim", 80.0), Step(at=85, do="admit", who="kim"))
REMOVED = evening(
    Step(at=90, do="press remove", who="anna", args={"about": "chloe"}),
    comes("chloe", 130.0),
    Step(at=136, do="admit", who="chloe"),
)
READMITTED = evening(
    Step(at=90, do="press remove", who="anna", args={"about": "chloe"}),
    Step(at=130, do="press readmit", who="sam", args={"about": "chloe"}),
    comes("chloe", 160.0),
    Step(at=170, do="admit"),
)
NOBODY_CAME = Scenario(
    seed=1,
    clients=PEOPLE,
    steps=(
        Step(at=15, do="unlock", who="anna"),
        *(Step(at=20.0 + n, do="arrive", who=who) for n, who in enumerate(PEOPLE)),
    ),
    heals_at=240.0,
    ends_at=340.0,
)
LATE_NEWS = evening(
    *NOBODY_LEFT,
    faults=(Fault(code="F2", kind="late", at=95.0, lasts=120.0, amount=40.0),),
    live_roster=False,
)
RESTLESS = evening(
    *NOBODY_LEFT,
    *(
        step
        for at in (120.0, 140.0, 160.0)
        for step in (goes("chloe", at), comes("chloe", at + 8))
    ),
)
BACK_IN_TIME = evening(*NOBODY_LEFT, comes("anna", 140.0))
LONG_OUTAGE = evening(
    *NOBODY_LEFT,
    faults=(Fault(code="F7", kind="503", at=168.0, lasts=70.0),),
    heals_at=320.0,
    ends_at=440.0,
)
TOO_MANY = evening(
    *NOBODY_LEFT,
    faults=(Fault(code="F7", kind="429 without headers", at=168.0, lasts=20.0),),
)
NOT_FOUND = evening(
    *NOBODY_LEFT, faults=(Fault(code="F7", kind="404", at=168.0, lasts=20.0),)
)
CLOCK_AHEAD = evening(
    goes("sam", 150.0),
    goes("anna", 160.0),
    faults=(
        Fault(code="F13", kind="step", at=60.0, amount=45.0),
        Fault(code="F11", kind="at once", at=70.0, lasts=1.0),
    ),
)
SHORT_LIST = evening(
    goes("sam", 70.0),
    goes("anna", 75.0),
    comes("anna", 80.0),
    faults=(Fault(code="F10", kind="the last page is missing", at=100.0, lasts=140.0),),
)
BLANK_LIST = evening(
    faults=(Fault(code="F10", kind="connection ids are blank", at=60.0, lasts=180.0),)
)
SECOND_CALL = evening(
    Step(at=90, do="end", who="anna"),
    comes("anna", 95.0),
    comes("sam", 97.0),
    *(comes(who, 100.0 + n) for n, who in enumerate(PEOPLE)),
    Step(at=110, do="admit"),
    goes("sam", 150.0),
    goes("anna", 160.0),
    faults=(Fault(code="F2", kind="late", at=89.0, lasts=2.0, amount=20.0),),
    live_roster=False,
)
OTHERS_NEWS = evening(
    *NOBODY_LEFT,
    Step(
        at=120,
        do="lie",
        who="anna",
        args={"what": "joined", "how": "other account"},
    ),
    live_roster=False,
)
DOUBLED = evening(
    *NOBODY_LEFT, faults=(Fault(code="F3", kind="doubled", at=20.0, lasts=200.0),)
)
SLOW_CALLS = evening(
    goes("chloe", 100.0),
    faults=(Fault(code="F8", kind="slow", at=60.0, lasts=100.0, amount=3.0),),
)
TAKEN = evening(
    *NOBODY_LEFT,
    *(Step(at=120.0 + n, do="press take alarm", who="anna") for n in range(3)),
)
STORM = evening(Step(at=90, do="storm", who="eve", args={"number": 40}))
RACE = evening(
    *NOBODY_LEFT,
    comes("anna", 174.5),
    faults=(
        Fault(code="F8", kind="slow", at=168.0, lasts=8.0, amount=3.0),
        Fault(code="F2", kind="late", at=168.0, lasts=12.0, amount=12.0),
    ),
)

ALL = {
    name: value for name, value in sorted(vars().items()) if isinstance(value, Scenario)
} | {f"REORDERED {each.seed}": each for each in REORDERED}
