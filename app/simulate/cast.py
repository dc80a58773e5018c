"""Who may take part. Three workers have accounts, one comes by a link of their own."""

from integrations.rehearsal.people import Person

WORKERS = {
    "anna": Person(
        "anna", "Anna Price", "anna@charity.example", "rAnnaPrice0lead", True
    ),
    "sam": Person("sam", "Sam Okoro", "sam@charity.example", "rSamOkoro0supp", True),
    "kim": Person("kim", "Kim Doyle", "kim@charity.example", "rKimDoyle0standby", True),
    "lee": Person("lee", "Lee Marsh", "lee@volunteers.example"),
}
CLIENTS = {
    key: Person(key, name, f"{key}@family.example", phone=phone)
    for key, name, phone in (
        ("ben", "Ben", "447700900123"),
        ("chloe", "Chloe", "447700900456"),
        ("dev", "Dev", "447700900457"),
        ("ella", "Ella", ""),
        ("finn", "Finn", ""),
        ("gita", "Gita", ""),
        ("hugo", "Hugo", ""),
        ("isla", "Isla", ""),
    )
}
OTHERS = {
    "eve": Person("eve", "=1+1", phone="447700900999"),
    "mallory": Person("mallory", "<script>", "mallory@elsewhere.example"),
    "notetaker": Person("notetaker", "Meeting notes", recorder=True),
}
CAST = {**WORKERS, **CLIENTS, **OTHERS}

LOOKS_LIKE_ANNA = ("Anna Price", "\u0410nna Price", "Anna Price (Host)", "ANNA  PRICE")
