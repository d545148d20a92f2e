"""The metrics of an hour: a declared list, each with its definition, its source, and the way in which it is computed.

The SQL expressions are over what `analytics_app.rollups.source` gathers, under the names that it gives there.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from analytics_app.rollups.ways import Count, MeanOf, People, Ratio, Share, Spanning, State, Text, Way

VERSION = 2
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
            "one contribution: being ready, marking a group as ready, an answer, a survey handed in, or reading aloud. "
            "Over several hours, a student's session counts once."
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
    Metric(
        "avg_audio_quality", Ratio("confidence_sum", "words_weighed", 100.0), _("Audio quality"), "%",
        definition=_(
            "The mean confidence of the recognised words, 100 % being certainty; words without one are left out."
        ),
        source="transcripts", undefined=_("No word was recognised with a confidence."),
    ),
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
        "avg_response_time", Ratio("response_seconds", "responses"), _("Response time"), "s",
        definition=_("The mean time from a question of a pause to its answer."),
        undefined=_("No question was answered."),
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
    Metric(
        "total_prompts_generated", Count("coalesce(e.prompts, 0)"), _("Prompts made"),
        definition=_("Questions that were put to students, and helps that they were shown while they read."),
    ),
    Metric(
        "total_prompts_used", Count("coalesce(e.prompts_used, 0)"), _("Prompts used"),
        definition=_("Questions that were answered, and helps that were listened to."),
    ),
    Metric(
        "total_interventions", Count("coalesce(e.interventions, 0)"), _("Interventions"),
        definition=_("Pauses with questions that began."),
    ),
    Metric(
        "total_alerts", Count("coalesce(e.alerts, 0)"), _("Alerts"),
        definition=_(
            "Requests for help, words at which a student asked for it while reading, and signs of struggle that the "
            "engine heard."
        ),
    ),
    Metric(
        "ai_analyses_completed", Count("coalesce(i.answered, 0)"), _("AI analyses"),
        definition=_("Calls of a language model that it answered usably."), source="calls of language models",
    ),
    Metric(
        "avg_ai_processing_time", Ratio("ai_seconds", "ai_analyses_completed"), _("AI processing time"), "s",
        definition=_("The mean time that such a call took."), source="calls of language models",
        undefined=_("No language model answered."),
    ),
    Metric(
        "ai_analysis_success_rate", Ratio("ai_analyses_completed", "ai_calls", 100.0), _("AI success rate"), "%",
        definition=_("Calls of a language model that it answered usably / all calls."),
        source="calls of language models", undefined=_("No language model was called."),
    ),
    Metric(
        "total_transcription_minutes", Count("coalesce(x.seconds, 0) / 60"), _("Minutes transcribed"), "min",
        definition=_("The length of the utterances that were written down, from their first word to their last."),
        source="transcripts",
    ),
    Metric(
        "total_storage_gb",
        Count("(coalesce(e.bytes, 0) + coalesce(x.bytes, 0) + coalesce(r.bytes, 0))::float8 / 1e9"),
        _("Storage"), "GB",
        definition=_(
            "What came in, in units of 10⁹ bytes: the rows of the hour's events and transcripts, and the sound of its "
            "recordings, also where that was not kept."
        ),
        source="session_events, transcripts, recordings",
    ),
    Metric(
        "estimated_compute_cost", Count("CASE WHEN coalesce(i.unpriced, 0) = 0 THEN coalesce(i.cost, 0) END"),
        _("Estimated cost"), "USD",
        definition=_("The tokens of the calls of language models times their prices in the settings."),
        source="calls of language models", undefined=_("The settings have no price for a model that was called."),
    ),
    Metric(
        "data_sources_count",
        State(
            "(e.events IS NOT NULL)::int + (a.active IS NOT NULL)::int + (j.joined IS NOT NULL)::int"
            " + (x.utterances IS NOT NULL)::int + (r.bytes IS NOT NULL)::int + (i.calls IS NOT NULL)::int"
        ),
        _("Sources with data"),
        definition=_(
            "How many of the sources (timelines, live sessions, students' sessions, transcripts, recordings, calls of "
            "language models) had something to count."
        ),
        source="session_events, live sessions, students' sessions, transcripts, recordings, calls of language models",
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
    Metric("words_weighed", Count("coalesce(x.words, 0)")),
    Metric("confidence_sum", Count("coalesce(x.confidence, 0)")),
    Metric("responses", Count("coalesce(e.responses, 0)")),
    Metric("response_seconds", Count("coalesce(e.response_seconds, 0)")),
    Metric("ai_calls", Count("coalesce(i.calls, 0)")),
    Metric("ai_seconds", Count("coalesce(i.seconds, 0)")),
)  # fmt: skip

BY_COLUMN: Mapping[str, Metric] = {metric.column: metric for metric in METRICS}
COLUMNS: tuple[str, ...] = tuple(BY_COLUMN)
