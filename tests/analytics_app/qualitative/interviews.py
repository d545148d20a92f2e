"""Eight short interviews about learning in a museum, written for these tests. Four themes were put into them."""

from analytics_app.qualitative.findings import Source
from analytics_app.qualitative.text import WORD

NOISE = (
    "The hall was so noisy that I could not hear the guide. Every time another group came in, the noise went up again.",
    "I lost the thread because of the noise in the hall. You cannot think while people shout over your head.",
    "What bothered me was the noise. We stood next to the entrance, and the echo of the hall swallowed every word.",
    "If the hall had been quiet I would have understood more. The noise made me give up listening to the guide.",
)
TOUCH = (
    "What helped me most was holding the iron tools in my own hands. I understood the hammer by lifting it.",
    "We were allowed to touch the tools, and by touching them I learned how heavy the work must have been.",
    "Lifting the hammer and the tongs made it clear to me. Tools behind glass would never have shown me their weight.",
    "I remember the tools because I touched them. My hands still know the weight of that hammer.",
)
QUESTIONS = (
    "The questions on the tablet came at the right moment. Each question asked about what I had just answered.",
    "I liked that the tablet asked a question after my answer, and then another question that went deeper.",
    "Answering the questions made me look again at the picture. The second question followed from my own answer.",
    "Without the questions I would have walked past. The tablet asked, I answered, and suddenly I wanted to know.",
)
FRIENDS = (
    "I wish we had been in pairs. I wanted to talk with my friend about the story of the worker family.",
    "Talking with a partner would have been better. My friend and I hoped to compare what we had found out.",
    "I would love to do it with a friend next time, because alone I had nobody to talk to about the family.",
    "We wanted to walk with our friends. When you talk with a partner you notice more of the story.",
)
THEMES = {"noise": NOISE, "touch": TOUCH, "questions": QUESTIONS, "friends": FRIENDS}


def interviews() -> list[Source]:
    """Each interview says something about two themes, in paragraphs of their own."""
    names = list(THEMES)
    found = []
    for number in range(8):
        first, second = names[number % 4], names[(number + 1) % 4]
        said = [THEMES[first][number // 4], THEMES[second][2 + number // 4]]
        text = "\n\n".join(said)
        found.append(Source(f"s{number + 1}", f"Interview {number + 1}", text, len(WORD.findall(text))))
    return found


def theme_of(passage: str) -> str:
    """The theme that was put into a passage."""
    return next(name for name, said in THEMES.items() if any(one in passage for one in said))


SPANISH = """\
La escuela de mi pueblo estaba lejos del río, y cada mañana caminaba con mi abuela hasta la puerta. Mi abuela llevaba el
pan y el agua, y me contaba del río y de los barcos.

En la clase el maestro nos leía un libro en voz alta. Al principio no entendía las palabras del libro, pero el maestro
me ayudaba con paciencia y aprendí a leer despacio.

Quiero volver a leer aquel libro. El maestro decía que leer es como remar: cuesta al principio y después el libro te
lleva.

Mi abuela no sabía leer. Le leía por la noche las historias del río, y ella escuchaba junto al fuego, contenta.

El río se desbordó un invierno, y los barcos quedaron en la plaza. Mi abuela y yo salimos por la ventana a un barco.
"""
