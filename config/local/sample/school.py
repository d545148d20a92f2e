"""The people of the sample school. Students go by the names of birds; nobody here is anybody."""

import random
from dataclasses import dataclass

from django.db import transaction

from config.local.sample import ironworks
from sessions_app.models import (
    ClassMembership,
    Condition,
    Consent,
    School,
    SchoolClass,
    Student,
    Study,
    StudyCondition,
    User,
)

SCHOOL = "Shockoe Hill School"
STUDY = "Ironworks on the James"
TARGET_PER_CELL = 30
RESEARCHER = "moreau"

BIRDS = (
    "Avocet", "Bittern", "Bunting", "Chickadee", "Coot", "Cormorant", "Crane", "Curlew", "Dipper", "Dunlin", "Egret",
    "Eider", "Falcon", "Finch", "Gannet", "Godwit", "Goldcrest", "Goshawk", "Grebe", "Grosbeak", "Grouse", "Harrier",
    "Heron", "Ibis", "Jackdaw", "Jay", "Junco", "Kestrel", "Killdeer", "Kingfisher", "Kite", "Knot", "Lapwing", "Lark",
    "Linnet", "Loon", "Magpie", "Mallard", "Martin", "Merlin", "Nighthawk", "Nuthatch", "Oriole", "Osprey", "Owl",
    "Partridge", "Pelican", "Petrel", "Pigeon", "Pintail", "Pipit", "Plover", "Puffin", "Quail", "Rail", "Raven",
    "Redstart", "Robin", "Ruff", "Sandpiper", "Shrike", "Siskin", "Skylark", "Snipe", "Sparrow", "Starling", "Stilt",
    "Swallow", "Swift", "Tanager", "Teal", "Tern", "Thrush", "Titmouse", "Towhee", "Turnstone", "Veery", "Vireo",
    "Wagtail", "Warbler", "Waxwing", "Wheatear", "Whimbrel", "Wigeon", "Wren",
)  # fmt: skip

PURPOSES = (
    Consent.Purpose.PARTICIPATION,
    Consent.Purpose.LOCATION,
    Consent.Purpose.SURVEY,
    Consent.Purpose.RESEARCH,
    Consent.Purpose.AUDIO,
)
CLASSES = (("Grade 4 B", "204", 4, 27), ("Grade 6 A", "117", 6, 28), ("Grade 8 C", "310", 8, 26))


@dataclass(frozen=True)
class SignIn:
    """One of the accounts that `demo` prints. `everywhere`: an administrator of the whole installation."""

    role: str
    username: str
    first_name: str
    last_name: str
    everywhere: bool = False


SIGN_INS = (
    SignIn("teacher", "okafor", "Ngozi", "Okafor"),
    SignIn("teacher", "lindgren", "Maja", "Lindgren"),
    SignIn("researcher", RESEARCHER, "Claire", "Moreau"),
    SignIn("administrator", "castillo", "Elena", "Castillo"),
    SignIn("administrator", "duarte", "Ines", "Duarte", everywhere=True),
)


@transaction.atomic
def load(password: str) -> School:
    """The school with its people. What is already there stays; the passwords are set to `password`."""
    school, _ = School.objects.get_or_create(name=SCHOOL, is_sample=True, defaults={"time_zone": "America/New_York"})
    users = {sign_in.username: _user(sign_in, school, password) for sign_in in SIGN_INS}
    _study(school, users[RESEARCHER])
    birds = list(BIRDS)
    random.Random(7).shuffle(birds)  # noqa: S311
    for name, room, grade, size in CLASSES:
        school_class, made = SchoolClass.objects.get_or_create(school=school, name=name, defaults={"room": room})
        if made:
            teacher = users["lindgren"] if grade == 8 else users["okafor"]
            school_class.teachers.add(teacher)
            _students(school_class, grade, [birds.pop() for _ in range(size)])
    _consents(school)
    return school


def _user(sign_in: SignIn, school: School, password: str) -> User:
    user, _ = User.objects.get_or_create(
        username=sign_in.username,
        defaults={
            "role": sign_in.role,
            "school": None if sign_in.role == "researcher" or sign_in.everywhere else school,
            "first_name": sign_in.first_name,
            "last_name": sign_in.last_name,
            "email": f"{sign_in.username}@shockoehill.example",
            "is_staff": sign_in.role == "administrator",
            "is_superuser": sign_in.everywhere,
        },
    )
    if not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    return user


def _study(school: School, researcher: User) -> Study:
    study, _ = Study.objects.get_or_create(name=STUDY, defaults={"is_simulated": True})
    study.schools.add(school)
    study.researchers.add(researcher)
    for condition in Condition.objects.all():
        StudyCondition.objects.get_or_create(study=study, condition=condition, defaults={"target": TARGET_PER_CELL})
    study.planned_n = TARGET_PER_CELL * study.cells.count()
    study.save(update_fields=["planned_n"])
    return ironworks.load(study, school)


def _students(school_class: SchoolClass, grade: int, labels: list[str]) -> None:
    rng = random.Random(grade)  # noqa: S311
    for label in labels:
        student = Student.objects.create(
            school=school_class.school,
            label=label,
            grade=grade,
            age=grade + rng.choice((5, 5, 6)),
            richmond_resident=rng.random() < 0.8,
            depth_preference=rng.choice(Student.DepthPreference.values),
            is_simulated=True,
        )
        ClassMembership.objects.create(school_class=school_class, student=student, label=label)


def _consents(school: School) -> None:
    """On paper, for whatever a study asks; those that are missing."""
    given = set(
        Consent.objects.filter(student__school=school, given_by=Consent.Giver.GUARDIAN).values_list(
            "student_id", "purpose"
        )
    )
    Consent.objects.bulk_create(
        Consent(
            student=student,
            purpose=purpose,
            decision=Consent.Decision.GRANTED,
            given_by=Consent.Giver.GUARDIAN,
            version="2026-1",
            how_obtained=Consent.Method.PAPER,
        )
        for student in Student.objects.filter(school=school)
        for purpose in PURPOSES
        if (student.pk, purpose) not in given
    )
