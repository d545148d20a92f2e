"""Pages that show what is computed from the record."""

from django.urls import path, re_path

from analytics_app.api import analyses as analyses_api
from analytics_app.api import metrics
from analytics_app.views import analyses, answers, coding, health, practice, reading, research, research_sessions, teach

urlpatterns = [
    path("teach/", teach.home, name="teach_home"),
    path("teach/live-now/", teach.live_now, name="teach_live_now"),
    path("teach/sessions/<uuid:session_id>/report/", teach.report, name="teach_report"),
    re_path(
        r"^teach/sessions/(?P<session_id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/report/timeline\.(?P<form>csv|jsonl)$",
        teach.report_export,
        name="teach_report_export",
    ),
    path("teach/runs/<uuid:run_id>/answers/", answers.page, name="teach_answers"),
    path("teach/runs/<uuid:run_id>/answers/<uuid:answer_id>", answers.points, name="teach_answer_points"),
    path("teach/readings/<uuid:reading_id>/", reading.page, name="teach_reading"),
    path("teach/readings/<uuid:reading_id>/marks", reading.add, name="teach_reading_mark"),
    path("teach/readings/<uuid:reading_id>/marks/<uuid:mark_id>", reading.decide, name="teach_reading_decide"),
    path("teach/readings/<uuid:reading_id>/sound", reading.hear, name="teach_reading_sound"),
    path("teach/students/<uuid:student_id>/", teach.student, name="teach_student"),
    path("teach/classes/<uuid:class_id>/practice/", practice.of_class, name="teach_practice"),
    path("teach/classes/<uuid:class_id>/practice/codes", practice.codes, name="teach_practice_codes"),
    path("teach/classes/<uuid:class_id>/practice/results.<str:form>", practice.export, name="teach_practice_export"),
    path("teach/students/<uuid:student_id>/practice/", practice.of_student, name="teach_student_practice"),
    path("practice/", practice.enter, name="practice_enter"),
    path("practice/progress/", practice.progress, name="practice_progress"),
    path("practice/leave", practice.leave, name="practice_leave"),
    path("research/", research.overview, name="research_overview"),
    path("research/analyses/", analyses.analysis_list, name="research_analyses"),
    path("research/analyses/new/", analyses.analysis_new, name="research_analysis_new"),
    path("research/analyses/<uuid:analysis_id>/", analyses.analysis, name="research_analysis"),
    path("research/analyses/<uuid:analysis_id>/steps", analyses.analysis_steps, name="research_analysis_steps"),
    path("research/analyses/<uuid:analysis_id>/cancel", analyses.analysis_cancel, name="research_analysis_cancel"),
    path("research/analyses/<uuid:analysis_id>/retry", analyses.analysis_retry, name="research_analysis_retry"),
    path("research/analyses/<uuid:analysis_id>/delete", analyses.analysis_delete, name="research_analysis_delete"),
    re_path(
        r"^research/analyses/(?P<analysis_id>[0-9a-f-]{36})/result\.(?P<form>json|csv|md)$",
        analyses.analysis_export,
        name="research_analysis_export",
    ),
    path("research/analyses/<uuid:analysis_id>/codes/", coding.desk, name="research_coding"),
    path("research/analyses/<uuid:analysis_id>/codes/start", coding.start, name="research_coding_start"),
    path("research/analyses/<uuid:analysis_id>/codes/add", coding.add, name="research_coding_add"),
    path("research/analyses/<uuid:analysis_id>/codes/split", coding.split, name="research_coding_split"),
    path("research/analyses/<uuid:analysis_id>/codes/assign", coding.assign, name="research_coding_assign"),
    path(
        "research/analyses/<uuid:analysis_id>/codes/<uuid:code_id>/rename",
        coding.rename,
        name="research_coding_rename",
    ),
    path("research/analyses/<uuid:analysis_id>/codes/<uuid:code_id>/merge", coding.merge, name="research_coding_merge"),
    path("research/conditions/", research.conditions, name="research_conditions"),
    path("research/conditions/<slug:condition_code>/", research.condition, name="research_condition"),
    path("research/locations/", research.locations, name="research_locations"),
    path("research/interventions/", research.interventions, name="research_interventions"),
    path("research/sessions/", research_sessions.sessions, name="research_sessions"),
    path("research/sessions/<uuid:session_id>/", research_sessions.session, name="research_session"),
    path(
        "research/sessions/<uuid:session_id>/record.json",
        research_sessions.session_export,
        name="research_session_export",
    ),
    path("research/students/<uuid:student_id>/", research_sessions.student, name="research_student"),
    path("api/metrics/hourly", metrics.HourlyMetrics.as_view(), name="api_hourly_metrics"),
    path("analysis/status/<str:analysis_request>", analyses_api.AnalysisStatus.as_view(), name="analysis_status"),
    path("analysis/requests", analyses_api.AnalysisRequests.as_view(), name="analysis_requests"),
    path("health/live", health.live, name="health_live"),
    path("health/ready", health.ready, name="health_ready"),
    path("health/tables", health.tables, name="health_tables"),
]
