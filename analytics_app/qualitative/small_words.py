"""Words that say little by themselves but much about the word beside them, in English and Spanish. Data."""

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NOT_EMPTY: Final = {
    "en": _words("""
        help helped work works worked working interest interested interesting value important need needs needed
        home homes thought thoughts words word hear heard feel felt room rooms group groups problem problems place
        places face faces young old men novel computer member members
    """),
    "es": _words("trabajo trabajar tiempo fuerza verdad lugar momento intento"),
}
"""Counted as stop words by the package, and meant by people who talk of their lives and schools."""

EMPTY: Final = {
    "en": _words("""
        ye thee thou thy thine hath doth upon unto whilst hitherto hence yes yeah okay ok um uh like just really
        thing things got get gets getting lot lots bit sort kinda gonna maybe stuff way ways time times day days
        year years much many little great good well made make making did done say said says saying told tell tells
        know knew known think went go going gone come came take took taken gave give given put left let seem seemed
        seems found find finds began begin first second third one two three however moreover therefore thus able
        long want wanted wants don doesn didn isn wasn weren couldn wouldn shouldn
    """),
    "es": _words("""
        pues entonces bueno vale etcétera vez veces cosa cosas dijo decir dice dicho así aún día días año años ser
        era eran hacer hizo tan si sí no solo sólo mucho muchos gran grande luego todavía
    """),
}
"""Not counted by the package, and as empty."""

BEFORE_NAMES: Final = {
    "en": _words("""
        the a an my your his her its our their this that these those some any no each every of in on at by with for
        from about into without between another such same own many most more
    """),
    "es": _words("""
        el la los las un una unos unas mi mis tu tus su sus nuestro nuestra nuestros nuestras este esta estos estas
        ese esa esos esas cada todo toda todos todas de del en con sin sobre por para entre
    """),
}

BEFORE_VERBS: Final = {
    "en": _words("""
        i you he she we they it to not who which would could should will shall can may might must do did does had
        have has be was were is are been being often never always
    """),
    "es": _words("yo tú él ella nosotros ellos ellas usted ustedes que se me te nos lo le no a había he ha han"),
}

PERSONS: Final = {
    "en": dict.fromkeys(_words("she her hers herself"), "she") | dict.fromkeys(_words("he him his himself"), "he"),
    "es": {word: word for word in _words("ella ellas él ellos")},
}
"""Pronouns that stand for somebody, and the name under which they count."""
