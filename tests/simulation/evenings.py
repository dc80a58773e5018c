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
            ("other secret", "altered", "unsigned", "stale", "future")
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

ALL = {
    name: value for name, value in sorted(vars().items()) if isinstance(value, Scenario)
} | {f"REORDERED {each.seed}": each for each in REORDERED}
