"""The metrics of an hour: a declared list, each with its definition, its source, and the way in which it is computed.

The SQL expressions are over what `analytics_app.rollups.source` gathers, under the names that it gives there.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from analytics_app.rollups.ways import Awaited, Count, MeanOf, People, Ratio, Share, Spanning, State, Text, Way

VERSION = 1
"""Raised when a definition changes. `rollup_hourly --all` then counts anew; a row says by which version it was made."""
METHOD = f"rollup {VERSION}"


@dataclass(frozen=True, slots=True)
class Metric:
    """One column of `dashboard_metrics_hourly`.

    `undefined` says why there may be no number. A metric without a label is there for others to be made of.
    """

    column: str
    way: Way
    label: Text = ""
    unit: str = ""
    definition: Text = ""
    source: str = "session_events"
    undefined: Text = ""


_CONTENT = Awaited(_("Needs questions and help messages, which sessions do not have yet."))
_MODELS = Awaited(_("Needs recorded calls of language models, of which there are none yet."))
_AUDIO = Awaited(_("Needs recorded speech, which sessions do not have yet."))

METRICS: tuple[Metric, ...] = (
    Metric(
        "sessions_active", Spanning("coalesce(a.active, 0)", begun="sessions_started"), _("Sessions active"),
        definition=_("Sessions that were running at some time in the hour: their span from start to end meets it."),
        source="live sessions",
    ),
    Metric(
        "sessions_completed", Count("coalesce(a.completed, 0)"), _("Sessions completed"),
        definition=_("Sessions that had been started and ended in the hour."),
        source="live sessions",
    ),
    Metric(
        "teachers_active", People("teacher", "coalesce(cardinality(e.teachers), 0)"), _("Teachers active"),
        definition=_("Different teachers whose sessions had an event in the hour."),
    ),
    Metric(
        "students_active", People("student", "coalesce(cardinality(e.students), 0)"), _("Students active"),
        definition=_("Different students with at least one event on a timeline in the hour."),
    ),
    Metric(
        "total_groups", State("coalesce(g.total, 0)"), _("Groups"),
        definition=_("Groups of the active sessions, as they stood at the end of the hour or of the session."),
    ),
    Metric(
        "ready_groups", State("coalesce(g.ready, 0)"), _("Groups ready"),
        definition=_(
            "Those of the groups whose leader had marked them as ready; a leader who goes, and a new one, undo it."
        ),
    ),
    Metric(
        "avg_session_quality",
        MeanOf(("avg_participation_rate", "avg_engagement_score", "avg_collaboration_score"), least=2),
        _("Session quality"), "%",
        definition=_(
            "The mean of participation, engagement and collaboration, each from 0 to 100 %, where at least two of them "
            "are defined."
        ),
        undefined=_("Fewer than two of participation, engagement and collaboration are defined."),
    ),
    Metric(
        "avg_engagement_score", Ratio("minutes_contributing", "minutes_present", 100.0), _("Engagement"), "%",
        definition=_(
            "Of all minutes in which a student was present, the share in which the student contributed. Present: "
            "connected during the minute, or contributing in it. A minute of playing content will count as well."
        ),
        undefined=_("No student was present."),
    ),
    Metric(
        "avg_participation_rate",
        Share("students_contributing", "students_joined", part_role="contributed", whole_role="joined"),
        _("Participation"), "%",
        definition=_(
            "Of the students who were in a session (joined, and neither gone nor taken out), the share with at least "
            "one contribution: being ready, or marking a group as ready. Over several hours, a student's session "
            "counts once."
        ),
        undefined=_("No student was in a session."),
    ),
    Metric(
        "avg_collaboration_score", Ratio("evenness_sum", "groups_compared", 100.0), _("Collaboration"), "%",
        definition=_(
            "How evenly the contributions are spread within a group: Shannon entropy of the members' shares, divided "
            "by its maximum, the logarithm of the number of members. 100 % where all contribute alike, 0 % where one "
            "does everything. The mean over groups of two or more with a contribution, as groups were made up last."
        ),
        source="session_events, students' sessions",
        undefined=_("No group of two or more made a contribution."),
    ),
    Metric("avg_audio_quality", _AUDIO, _("Audio quality"), "%", _("Mean confidence of the recognised words.")),
    Metric(
        "avg_connection_stability", Ratio("connected_seconds", "seconds_expected", 100.0),
        _("Connection stability"), "%",
        definition=_(
            "Time connected / (time connected + time dropped). A drop lasts from the loss of a connection until the "
            "next one, until the student leaves or is taken out, or until the session's last sign of life. A "
            "connection whose end was never written lasts until the student's last event in it."
        ),
        undefined=_("No student was connected."),
    ),
    Metric(
        "total_errors", Count("coalesce(e.errors, 0)"), _("Errors"),
        definition=_("Failures of a student's page, and actions that were refused."),
    ),
    Metric(
        "avg_response_time", _CONTENT, _("Response time"), "s", _("Mean time from a question to its answer."),
    ),
    Metric(
        "websocket_connections", Count("coalesce(e.sockets, 0)"), _("Connections opened"),
        definition=_("Connections that students' pages opened in the hour."),
    ),
    Metric(
        "avg_latency_ms", Ratio("latency_sum_ms", "latency_count"), _("Latency"), "ms",
        definition=_("The mean round trip of a ping, as students' pages measured it."),
        undefined=_("No round trip was measured."),
    ),
    Metric(
        "error_rate", Ratio("total_errors", "events_total"), _("Errors per event"),
        definition=_("Errors / events of every kind."),
        undefined=_("There was no event."),
    ),
    Metric("total_prompts_generated", _CONTENT, _("Prompts made"), "", _("Questions and help messages made.")),
    Metric("total_prompts_used", _CONTENT, _("Prompts used"), "", _("Questions answered and help messages played.")),
    Metric(
        "total_interventions", Awaited(_("Needs interventions, which sessions do not have yet.")), _("Interventions"),
        "", _("Interventions that were started."),
    ),
    Metric(
        "total_alerts", Count("coalesce(e.alerts, 0)"), _("Alerts"),
        definition=_("Requests for help. Signs of struggle will count as well."),
    ),
    Metric("ai_analyses_completed", _MODELS, _("AI analyses"), "", _("Calls of a language model that succeeded.")),
    Metric("avg_ai_processing_time", _MODELS, _("AI processing time"), "s", _("Mean time that such a call took.")),
    Metric("ai_analysis_success_rate", _MODELS, _("AI success rate"), "%", _("Calls that succeeded / all calls.")),
    Metric("total_transcription_minutes", _AUDIO, _("Minutes transcribed"), "min", _("Minutes of transcribed speech.")),
    Metric(
        "total_storage_gb", Count("coalesce(e.bytes, 0)::float8 / 1e9"), _("Storage"), "GB",
        definition=_("The rows of the hour's events, in units of 10⁹ bytes. Audio and transcripts will count as well."),
    ),
    Metric(
        "estimated_compute_cost", Awaited(_("Nothing that costs by use is recorded yet.")), _("Estimated cost"), "",
        _("What was used times its price in the settings."),
    ),
    Metric(
        "data_sources_count",
        State("(e.events IS NOT NULL)::int + (a.active IS NOT NULL)::int + (j.joined IS NOT NULL)::int"),
        _("Sources with data"),
        definition=_("How many of the sources (timelines, live sessions, students' sessions) had something to count."),
        source="session_events, live sessions, students' sessions",
    ),
    Metric("sessions_started", Count("coalesce(a.started, 0)")),
    Metric("students_joined", Count("coalesce(j.joined, 0)")),
    Metric("students_contributing", Count("coalesce(j.contributing, 0)")),
    Metric("minutes_present", Count("coalesce(n.present, 0)")),
    Metric("minutes_contributing", Count("coalesce(n.contributing, 0)")),
    Metric("groups_compared", Count("coalesce(v.groups, 0)")),
    Metric("evenness_sum", Count("coalesce(v.evenness, 0)")),
    Metric("connected_seconds", Count("coalesce(k.connected, 0)")),
    Metric("seconds_expected", Count("coalesce(k.connected + k.dropped, 0)")),
    Metric("latency_count", Count("coalesce(e.pings, 0)")),
    Metric("latency_sum_ms", Count("coalesce(e.rtt_ms, 0)")),
    Metric("events_total", Count("coalesce(e.events, 0)")),
)  # fmt: skip

BY_COLUMN: Mapping[str, Metric] = {metric.column: metric for metric in METRICS}
COLUMNS: tuple[str, ...] = tuple(BY_COLUMN)
