from django.contrib.auth.views import LogoutView
from django.urls import path
from django.views.i18n import JavaScriptCatalog

from sessions_app.api import live_sessions, me, practice, tokens
from sessions_app.views import account, board, class_student, classes, join, student, teach

urlpatterns = [
    path("", account.home, name="home"),
    path("accounts/login/", account.SignIn.as_view(), name="login"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
    path("accounts/password/", account.PasswordChange.as_view(), name="password_change"),
    path("jsi18n/", JavaScriptCatalog.as_view(packages=["sessions_app"]), name="javascript_catalog"),
    path("join/", join.code, name="join"),
    path("join/<str:code>/", join.start, name="join_start"),
    path("join/<str:code>/name/", join.label, name="join_label"),
    path("join/<str:code>/waiting/", join.waiting, name="join_waiting"),
    path("join/<str:code>/waiting/check", join.waiting_check, name="join_waiting_check"),
    path("s/<uuid:student_session>/", student.page, name="student_session"),
    path("s/<uuid:student_session>/events", student.events, name="student_events"),
    path("teach/sessions/", teach.session_list, name="teach_sessions"),
    path("teach/sessions/new/", teach.session_new, name="teach_session_new"),
    path("teach/sessions/<uuid:session_id>/", teach.session, name="teach_session"),
    path("teach/sessions/<uuid:session_id>/draft/", teach.session_draft, name="teach_session_draft"),
    path("teach/sessions/<uuid:session_id>/copy", teach.session_copy, name="teach_session_copy"),
    path("teach/sessions/<uuid:session_id>/code/", board.code, name="teach_session_code"),
    path("teach/sessions/<uuid:session_id>/start", board.start, name="teach_board_start"),
    path("teach/sessions/<uuid:session_id>/end", board.end, name="teach_board_end"),
    path("teach/sessions/<uuid:session_id>/groups", board.groups, name="teach_board_groups"),
    path("teach/sessions/<uuid:session_id>/move", board.move, name="teach_board_move"),
    path("teach/sessions/<uuid:session_id>/leader", board.leader, name="teach_board_leader"),
    path("teach/sessions/<uuid:session_id>/remove", board.remove, name="teach_board_remove"),
    path("teach/sessions/<uuid:session_id>/attention", board.ask, name="teach_board_attention"),
    path("teach/sessions/<uuid:session_id>/move-on", board.move_on, name="teach_board_move_on"),
    path("teach/sessions/<uuid:session_id>/move-back", board.move_back, name="teach_board_move_back"),
    path("teach/sessions/<uuid:session_id>/requests/<uuid:takeover>", board.answer, name="teach_board_request"),
    path("teach/classes/", classes.class_list, name="teach_classes"),
    path("teach/classes/<uuid:class_id>/", classes.class_detail, name="teach_class"),
    path("teach/classes/<uuid:class_id>/import/", classes.class_import, name="teach_class_import"),
    path(
        "teach/classes/<uuid:class_id>/students/<uuid:membership_id>/", class_student.page, name="teach_class_student"
    ),
    path(
        "teach/classes/<uuid:class_id>/students/<uuid:membership_id>/rename",
        class_student.rename,
        name="teach_class_student_rename",
    ),
    path(
        "teach/classes/<uuid:class_id>/students/<uuid:membership_id>/move",
        class_student.move,
        name="teach_class_student_move",
    ),
    path(
        "teach/classes/<uuid:class_id>/students/<uuid:membership_id>/take-out",
        class_student.take_out,
        name="teach_class_student_take_out",
    ),
    path(
        "teach/classes/<uuid:class_id>/students/<uuid:membership_id>/archive",
        class_student.archive,
        name="teach_class_student_archive",
    ),
    path(
        "teach/classes/<uuid:class_id>/students/<uuid:membership_id>/consent",
        class_student.consent,
        name="teach_class_student_consent",
    ),
    path("api/token/", tokens.TokenByPassword.as_view(), name="token"),
    path("api/token/code/", tokens.TokenByCode.as_view(), name="token_by_code"),
    path("api/token/refresh/", tokens.TokenAgain.as_view(), name="token_refresh"),
    path("api/sessions/save", practice.SaveResult.as_view(), name="api_sessions_save"),
    path("api/sessions/history", practice.History.as_view(), name="api_sessions_history"),
    path("api/sessions/stats", practice.Statistics.as_view(), name="api_sessions_stats"),
    path("api/sessions/warmup", practice.WarmUpView.as_view(), name="api_sessions_warmup"),
    path("api/me/link", me.Link.as_view(), name="api_me_link"),
    path("api/me/data-requests", me.DataRequests.as_view(), name="api_me_data_requests"),
    path("api/me/data-requests/<uuid:request_id>", me.OneDataRequest.as_view(), name="api_me_data_request"),
    path("api/me/data-requests/<uuid:request_id>/copy.<str:copy_form>", me.DataCopy.as_view(), name="api_me_copy"),
    path("api/live-sessions/", live_sessions.LiveSessionList.as_view(), name="api_live_sessions"),
    path(
        "api/live-sessions/<uuid:session_id>/events",
        live_sessions.LiveSessionEvents.as_view(),
        name="api_live_session_events",
    ),
]
