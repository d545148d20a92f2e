"""Which change of a record of a run makes which mirrored item out of date. See `mirrored`."""

from analytics_app.models.marks import (
    ASSESSMENTS,
    DELIVERY,
    INTERVENTIONS,
    SESSION,
    SURVEY,
    VERIFICATION,
    key_of_assessment,
    key_of_intervention,
    mark_when_changed,
    profile_of,
)
from sessions_app.models import (
    Assessment,
    AssessmentAnswer,
    ContentDelivery,
    Exchange,
    ExchangeScore,
    Intervention,
    LocationVerification,
    PriorKnowledge,
    QualityFlag,
    SegmentDelivery,
    SurveyResponse,
)


def _of_session(kind: str) -> str:
    """A record is an item of its own, and its session's and its student's items say that it is there."""
    return f"""
        SELECT {kind}, changed.student_session_id UNION ALL SELECT {SESSION}, changed.student_session_id
        UNION ALL {profile_of("changed.student_session_id")}
    """


class MirroredVerification(LocationVerification):
    """An outcome is written with its session and its student's profile."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = mark_when_changed(
            "item",
            _of_session(VERIFICATION),
        )


class MirroredDelivery(ContentDelivery):
    """How the content was met."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = mark_when_changed(
            "item",
            _of_session(DELIVERY),
        )


class MirroredSegment(SegmentDelivery):
    """A segment stands in the item of its delivery."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = mark_when_changed(
            "item",
            f"""
            SELECT {DELIVERY}, d.student_session_id FROM sessions_app_contentdelivery d
            WHERE d.id = changed.delivery_id
            """,
        )


class MirroredSurvey(SurveyResponse):
    """A survey is an item, and its session's says that it is there."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = mark_when_changed(
            "item",
            f"SELECT {SURVEY}, changed.student_session_id UNION ALL SELECT {SESSION}, changed.student_session_id",
        )


class MirroredIntervention(Intervention):
    """A validated intervention is one of its session's items, and counted in the session's own."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = mark_when_changed(
            "item",
            f"""
            SELECT {INTERVENTIONS}, changed.student_session_id, {key_of_intervention("changed")}
            WHERE changed.status = 'validated'
            UNION ALL SELECT {SESSION}, changed.student_session_id, NULL WHERE changed.status = 'validated'
            """,
            with_keys=True,
        )


class MirroredExchange(Exchange):
    """What was asked and answered stands in the item of its intervention, once that has one."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = mark_when_changed(
            "item",
            f"""
            SELECT {INTERVENTIONS}, i.student_session_id FROM sessions_app_intervention i
            WHERE i.id = changed.intervention_id AND i.status = 'validated'
            """,
        )


class MirroredScore(ExchangeScore):
    """So do the scores."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = mark_when_changed(
            "item",
            f"""
            SELECT {INTERVENTIONS}, i.student_session_id FROM sessions_app_exchange e
            JOIN sessions_app_intervention i ON i.id = e.intervention_id AND i.status = 'validated'
            WHERE e.id = changed.exchange_id
            """,
        )


class MirroredAssessment(Assessment):
    """A submitted assessment is one of its session's items; session and profile say what is done."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = mark_when_changed(
            "item",
            f"""
            SELECT {ASSESSMENTS}, changed.student_session_id, {key_of_assessment("changed")}
            UNION ALL SELECT {SESSION}, changed.student_session_id, NULL
            UNION ALL SELECT p.*, NULL FROM ({profile_of("changed.student_session_id")}) p
            """,
            with_keys=True,
        )


class MirroredAnswer(AssessmentAnswer):
    """An answer stands in the item of its assessment, once that is submitted."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = mark_when_changed(
            "item",
            f"""
            SELECT {ASSESSMENTS}, a.student_session_id FROM sessions_app_assessment a
            WHERE a.id = changed.assessment_id AND a.submitted_at IS NOT NULL
            """,
        )


class MirroredPriorKnowledge(PriorKnowledge):
    """The score stands in the session."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = mark_when_changed(
            "item",
            f"SELECT {SESSION}, changed.student_session_id",
        )


class MirroredFlag(QualityFlag):
    """So do the flags."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = mark_when_changed(
            "item",
            f"SELECT {SESSION}, changed.student_session_id",
        )
