# ruff: noqa: RUF001
"""Seeded names: look-alikes made the way people and tools make them, and honest crowds.

The substitutions are written down here anew, not taken from the product's own table.
"""

from collections.abc import Callable, Iterator
from random import Random

STAFF = {
    "anna": "Anna Price",
    "sam": "Sam Okoro",
    "noor": "Noor Haddad",
    "mei": "Mei-Ling Wong",
    "oisin": "Oisín Ó Briain",
    "olena": "Олена Шевчук",
}

CYRILLIC = dict(zip("aeopcxyiABEKMHOPCTXSj", "аеорсхуіАВЕКМНОРСТХЅј", strict=True))
GREEK = dict(zip("oviaABEZHIKMNOPTYX", "ονιαΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", strict=True))
ARMENIAN_AND_CHEROKEE = dict(zip("onhuADWSRPHL", "օոհսᎪᎠᎳᏚᎡᏢᎻᏞ", strict=True))
DIGITS = dict(zip("oOlIieas", "00111345", strict=True))
STROKES = {"l": "I", "I": "l", "i": "l", "m": "rn", "w": "vv"}
MATHS = [0x1D400, 0x1D434, 0x1D468, 0x1D4D0, 0x1D56C, 0x1D5A0, 0x1D5D4, 0x1D670]
INVISIBLE = "\u200b\u200c\u200d\u2060\u00ad\ufeff\ufe0f\u180e\u202e\u2066\U000e0061"
SUFFIXES = (
    " (Host)", " (Guest)", " (Unverified)", " (External)", " – Safeguarding lead",
    " - Staff", " (co-host)", " | Lead worker", " 2", "'s iPhone", " 🌟", " ✅", " (she/her)",
)  # fmt: skip


def _swap(table: dict[str, str]) -> Callable[[Random, str], str]:
    def change(random: Random, name: str) -> str:
        able = [n for n, char in enumerate(name) if char in table]
        if not able:
            return name
        chosen = set(random.sample(able, random.randint(1, len(able))))
        return "".join(table[c] if n in chosen else c for n, c in enumerate(name))

    return change


def _maths(random: Random, name: str) -> str:
    first = random.choice(MATHS)
    return "".join(_in_alphabet(c, first) for c in name)


def _full_width(random: Random, name: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in name)


def _in_alphabet(char: str, first: int) -> str:
    if "A" <= char <= "Z":
        return chr(first + ord(char) - ord("A"))
    if "a" <= char <= "z":
        return chr(first + 26 + ord(char) - ord("a"))
    return char


def _hide(random: Random, name: str) -> str:
    at = random.randint(0, len(name))
    return name[:at] + random.choice(INVISIBLE) * random.randint(1, 3) + name[at:]


def _mark(random: Random, name: str) -> str:
    at = random.randint(1, len(name))
    return name[:at] + chr(random.randint(0x300, 0x34E)) + name[at:]


def _suffix(random: Random, name: str) -> str:
    return name + random.choice(SUFFIXES)


def _reverse(random: Random, name: str) -> str:
    words = name.split()
    return random.choice((", ", " ")).join(words[::-1])


def _case(random: Random, name: str) -> str:
    return random.choice((name.upper(), name.lower(), name.swapcase()))


def _spread(random: Random, name: str) -> str:
    return random.choice((" ", ".", "_", "-")).join(name.replace(" ", ""))


def _copy(random: Random, name: str) -> str:
    return name


_WAYS: tuple[Callable[[Random, str], str], ...] = (
    _swap(CYRILLIC),
    _swap(GREEK),
    _swap(ARMENIAN_AND_CHEROKEE),
    _swap(DIGITS),
    _swap(STROKES),
    _maths,
    _full_width,
    _hide,
    _mark,
    _suffix,
    _reverse,
    _case,
    _spread,
    _copy,
)
_LATIN_ONLY = frozenset({"anna", "sam", "noor", "mei"})


def look_alikes(count: int, seed: int) -> Iterator[tuple[str, str]]:
    """(whose, copy): one way of copying, or one followed by something hidden or added."""
    random = Random(seed)
    for _ in range(count):
        whose = random.choice(list(STAFF))
        name = random.choice(_WAYS)(random, STAFF[whose])
        if random.random() < 0.4:
            name = random.choice((_hide, _mark, _suffix))(random, name)
        yield whose, name


_FIRST = {
    "british": "Olivia Amelia Ada George Arthur Noah Freya Isla Harry Poppy Evie Alfie",
    "welsh": "Siân Llŷr Gwenllïan Rhŷs Angharad Dafydd Eluned Iwan",
    "irish": "Niamh Caoimhe Seán Pádraig Siobhán Éabha Tadhg Oisín",
    "polish": "Łukasz Zofia Małgorzata Wojciech Agnieszka Krzysztof",
    "vietnamese": "Hùng Hưng Linh Thảo Ngọc Phượng Đức Quỳnh",
    "arabic": "محمد فاطمة أحمد عائشة يوسف زينب خالد ليلى",
    "hebrew": "נועם תמר יוסף רחל דוד אסתר אורי מאיה",
    "russian": "Анна Иван Мария Сергей Ольга Пётр Наталья Дмитрий Олена",
    "greek": "Ελένη Γιώργος Μαρία Νίκος Άννα Κώστας",
    "hindi": "अनिल सुनीता राजेश प्रिया अमित कविता",
    "tamil": "அருண் கவிதா முருகன் மீனா",
    "thai": "สมชาย มาลี วิชัย อรทัย",
    "chinese": "王芳 李伟 张敏 刘洋 陈静 杨磊",
    "japanese": "さくら ゆうと 陽菜 蓮 ハルカ",
    "korean": "김민준 이서연 박지훈 최수빈",
    "yoruba": "Adébáyọ̀ Ọlámidé Fọlákẹ́ Tèmítọ́pẹ́ Chidi Ngozi",
    "somali": "Hodan Abdirahman Ayaan Fartun Sagal Liban",
    "armenian": "Անի Արամ Լիլիթ Տիգրան",
    "georgian": "ნინო გიორგი თამარ ლევან",
    "ethiopian": "ሰላም አበበ ሄለን ዳዊት",
}
_LAST = {
    "british": "Smith Taylor Brown Wilson Evans Price-Jones Walker Hall Wright Green Pryce",
    "welsh": "ap Gwynn Llewelyn Prŷs Morgan Ŵyn",
    "irish": "Ó Sé Ní Bhriain O’Neil O'Connor Mac Aodha",
    "polish": "Wiśniewska Kowalczyk Zieliński Wójcik",
    "vietnamese": "Nguyễn Trần Phạm Lê Vũ Đặng",
    "arabic": "الحسن إبراهيم العلي حداد",
    "hebrew": "כהן לוי מזרחי פרץ",
    "russian": "Иванова Петров Шевченко Кузнецова Соколов",
    "greek": "Παπαδοπούλου Νικολάου Γεωργίου",
    "hindi": "शर्मा वर्मा सिंह गुप्ता",
    "tamil": "ராஜன் குமார்",
    "thai": "ใจดี สุขใจ",
    "yoruba": "Adéyẹmí Okafor Ọláníyan Okonkwo",
    "somali": "Warsame Farah Hassan Yusuf",
    "armenian": "Սարգսյան Պետրոսյան",
    "georgian": "ბერიძე კაპანაძე",
    "ethiopian": "ተስፋዬ ገብረ",
}


def crowd(count: int, seed: int) -> Iterator[str]:
    """Honest names of many scripts, some with initials, emoji or a device behind them."""
    random = Random(seed)
    for _ in range(count):
        script = random.choice(list(_FIRST))
        name = random.choice(_FIRST[script].split())
        if script in _LAST and random.random() < 0.8:
            last = random.choice(_LAST[script].split())
            name += f" {last}" if random.random() < 0.85 else f" {last[0]}"
        if random.random() < 0.15:
            name += random.choice((" 🌈", " 🦊", "'s iPad", " (she/her)", " 2", " xx"))
        yield name
