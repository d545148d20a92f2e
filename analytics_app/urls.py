"""Pages that show what is computed from the record."""

from django.urls import path, re_path

from analytics_app.api import metrics
from analytics_app.views import health, practice, research, teach

urlpatterns = [
    path("teach/", teach.home, name="teach_home"),
    path("teach/live-now/", teach.live_now, name="teach_live_now"),
    path("teach/sessions/<uuid:session_id>/report/", teach.report, name="teach_report"),
    re_path(
        r"^teach/sessions/(?P<session_id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/report/timeline\.(?P<form>csv|jsonl)$",
        teach.report_export,
        name="teach_report_export",
    ),
    path("teach/students/<uuid:student_id>/", teach.student, name="teach_student"),
    path("teach/classes/<uuid:class_id>/practice/", practice.of_class, name="teach_practice"),
    path("teach/classes/<uuid:class_id>/practice/codes", practice.codes, name="teach_practice_codes"),
    path("teach/classes/<uuid:class_id>/practice/results.<str:form>", practice.export, name="teach_practice_export"),
    path("teach/students/<uuid:student_id>/practice/", practice.of_student, name="teach_student_practice"),
    path("practice/", practice.enter, name="practice_enter"),
    path("practice/progress/", practice.progress, name="practice_progress"),
    path("practice/leave", practice.leave, name="practice_leave"),
    path("research/", research.overview, name="research_overview"),
    path("api/metrics/hourly", metrics.HourlyMetrics.as_view(), name="api_hourly_metrics"),
    path("health/live", health.live, name="health_live"),
    path("health/ready", health.ready, name="health_ready"),
    path("health/tables", health.tables, name="health_tables"),
]
