"""Who gets what at every door of the product. A route without a row here fails the suite.

The columns are `tests.world.WHO`. The keys in an address are those of Alice's: her configured session (`@draft` and
`@over`: others of hers), her class, Sam in it. 302 is the way to the sign-in, or onwards; 401 is the former for a
script; 404 is what another school has, and what a teacher does not teach; 403 is a page that is not for the role,
whatever the key; 400 and 405 are doors that opened on nothing. `up` is a health check that answers, well or not.
"""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any
from unittest.mock import patch

import pytest
from django.contrib import admin
from django.db import transaction
from django.template.response import SimpleTemplateResponse
from django.urls import URLPattern, get_resolver, reverse
from pytest_django.plugin import DjangoDbBlocker

from analytics_app.models import (
    Analysis,
    ConditionStatistics,
    DashboardMetricsHourly,
    DeadLetter,
    IndexUse,
    MirrorHour,
    OutboxItem,
    RollupRun,
)
from analytics_app.qualitative import results
from sessions_app.live import routing
from sessions_app.models import (
    AccessLog,
    AssessmentAnswer,
    AudioChunk,
    AudioStream,
    Code,
    Coding,
    Condition,
    Corpus,
    CorpusText,
    DataRequest,
    ErasedAccount,
    Exchange,
    JoinFailures,
    Learner,
    LearnerCode,
    ModelCall,
    Passage,
    Reading,
    RefusedSubmission,
    School,
    SchoolClass,
    SessionEvent,
    SessionResult,
    SessionSummary,
    Student,
    StudentSession,
    Study,
    User,
)
from tests.analyses import findings
from tests.cast import PASSWORD, TIME_ZERO, consent
from tests.study_cast import assign, complete_study, make_content, make_form, make_question_set, make_survey, walk
from tests.world import WHO, World, lasting, make_world

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("doors")]  # one world, one worker

ROWS = """
#                                     nobody sam tia alice bob charlie rosa rolf ada aron root
GET  home                              302 302 302 302 302 302 302 302 302 302 302
GET  login                             200 200 200 302 302 302 302 302 302 302 302
POST login                             200 200 200 302 302 302 302 302 302 302 302
GET  logout                            405 405 405 405 405 405 405 405 405 405 405
POST logout                            302 302 302 302 302 302 302 302 302 302 302
GET  password_change                   302 302 302 200 200 200 200 200 200 200 200
POST password_change                   302 302 302 200 200 200 200 200 200 200 200
GET  javascript_catalog                200 200 200 200 200 200 200 200 200 200 200

# Whoever has the code may join; what a student session has is its student's alone.
GET  join                              200 200 200 200 200 200 200 200 200 200 200
POST join                              404 404 404 404 404 404 404 404 404 404 404
GET  join_start                        200 200 200 200 200 200 200 200 200 200 200
POST join_start                        302 302 302 302 302 302 302 302 302 302 302
GET  join_label                        302 302 302 302 302 302 302 302 302 302 302
POST join_label                        302 302 302 302 302 302 302 302 302 302 302
GET  join_waiting                      302 302 302 302 302 302 302 302 302 302 302
GET  join_waiting_check                200 200 200 200 200 200 200 200 200 200 200
GET  student_help_sound                404 404 404 404 404 404 404 404 404 404 404
GET  student_session                   404 200 404 404 404 404 404 404 404 404 404
POST student_events                    404 400 404 404 404 404 404 404 404 404 404

# A teacher's sessions: onwards from a draft or an ended session is 302 for whoever may see it.
GET  teach_home                        302 302 302 200 200 200 403 403 403 403 403
GET  teach_live_now                    302 302 302 200 200 200 403 403 403 403 403
GET  teach_sessions                    302 302 302 200 200 200 403 403 200 200 200
GET  teach_session_new                 302 302 302 200 200 200 403 403 403 403 403
POST teach_session_new                 302 302 302 200 200 200 403 403 403 403 403
GET  teach_session                     302 302 302 200 404 404 404 404 200 404 200
GET  teach_session@draft               302 302 302 302 404 404 404 404 302 404 302
GET  teach_session@over                302 302 302 302 404 404 404 404 302 404 302
GET  teach_session_draft@draft         302 302 302 200 404 404 404 404 200 404 200
POST teach_session_draft@draft         302 302 302 400 404 404 404 404 400 404 400
POST teach_session_copy                302 302 302 302 404 404 403 403 403 403 403
GET  teach_session_code                302 302 302 200 404 404 404 404 200 404 200
POST teach_board_start                 401 401 401 204 404 404 404 404 204 404 204
POST teach_board_end                   401 401 401 204 404 404 404 404 204 404 204
POST teach_board_groups                401 401 401 204 404 404 404 404 204 404 204
POST teach_board_move                  401 401 401 204 404 404 404 404 204 404 204
POST teach_board_leader                401 401 401 204 404 404 404 404 204 404 204
POST teach_board_remove                401 401 401 204 404 404 404 404 204 404 204
POST teach_board_let_back              401 401 401 404 404 404 404 404 404 404 404
POST teach_board_attention             401 401 401 204 404 404 404 404 204 404 204
POST teach_board_condition             401 401 401 400 404 404 404 404 400 404 400
POST teach_board_move_on               401 401 401 400 404 404 404 404 400 404 400
POST teach_board_move_back             401 401 401 400 404 404 404 404 400 404 400
POST teach_board_request               401 401 401 204 404 404 404 404 204 404 204
GET  teach_report@over                 302 302 302 200 404 404 403 403 200 404 200
GET  teach_report_export@over          302 302 302 200 404 404 403 403 200 404 200
GET  teach_answers                     302 302 302 200 404 404 403 403 200 404 200
POST teach_answer_points               302 302 302 302 404 404 403 403 403 404 403
GET  teach_reading                     302 302 302 200 404 404 403 403 200 404 200
POST teach_reading_mark                302 302 302 302 404 404 403 403 403 404 403
POST teach_reading_decide              302 302 302 302 404 404 403 403 403 404 403
GET  teach_reading_sound               302 302 302 400 404 404 403 403 400 404 400
GET  teach_student                     302 302 302 200 404 404 403 403 200 404 200

# Classes.
GET  teach_passages                    302 302 302 200 200 200 403 403 200 200 200
GET  teach_passage_new                 302 302 302 200 200 200 403 403 200 200 200
POST teach_passage_new                 302 302 302 302 302 302 403 403 302 302 302
GET  teach_passage_import              302 302 302 200 200 200 403 403 200 200 200
POST teach_passage_import              302 302 302 400 400 400 403 403 400 400 400
GET  teach_passage                     302 302 302 200 200 404 403 403 200 404 200
POST teach_passage                     302 302 302 302 302 404 403 403 302 404 302
POST teach_passage_archive             302 302 302 302 302 404 403 403 302 404 302
GET  teach_classes                     302 302 302 200 200 200 403 403 200 200 200
POST teach_classes                     302 302 302 302 302 302 403 403 403 403 403
GET  teach_class                       302 302 302 200 404 404 403 403 200 404 200
POST teach_class                       302 302 302 302 404 404 403 403 302 404 302
GET  teach_class_import                302 302 302 200 404 404 403 403 200 404 200
POST teach_class_import                302 302 302 200 404 404 403 403 200 404 200
GET  teach_class_student               302 302 302 200 404 404 403 403 200 404 200
POST teach_class_student_rename        302 302 302 302 404 404 403 403 302 404 302
POST teach_class_student_move          302 302 302 400 404 404 403 403 400 404 400
POST teach_class_student_take_out      302 302 302 302 404 404 403 403 302 404 302
POST teach_class_student_archive       302 302 302 302 404 404 403 403 302 404 302
POST teach_class_student_consent       302 302 302 302 404 404 403 403 302 404 302

# Language practice, and one's own data. A learner's own page opens by a code.
GET  teach_practice                    302 302 302 200 404 404 403 403 200 404 200
POST teach_practice_codes              302 302 302 200 404 404 403 403 200 404 200
GET  teach_practice_export             302 302 302 200 404 404 403 403 200 404 200
GET  teach_student_practice            302 302 302 200 404 404 403 403 200 404 200
GET  teach_student_data                302 302 302 200 404 404 403 403 200 404 200
POST teach_student_data                302 302 302 302 404 404 403 403 302 404 302
GET  teach_data_copy                   302 302 302 302 404 404 403 403 302 404 302
GET  practice_enter                    200 200 200 200 200 200 200 200 200 200 200
POST practice_enter                    404 404 404 404 404 404 404 404 404 404 404
GET  practice_progress                 302 302 302 302 302 302 302 302 302 302 302
POST practice_leave                    302 302 302 302 302 302 302 302 302 302 302

# Research.
GET  research_overview                 302 302 302 403 403 403 200 200 403 403 403
GET  research_overview?study           302 302 302 403 403 403 200 404 403 403 403
GET  research_analyses                 302 302 302 403 403 403 200 200 403 403 403
GET  research_analysis_new             302 302 302 403 403 403 200 200 403 403 403
POST research_analysis_new             302 302 302 403 403 403 400 400 403 403 403
GET  research_analysis                 302 302 302 403 403 403 200 404 403 403 403
GET  research_analysis_steps           302 302 302 403 403 403 200 404 403 403 403
POST research_analysis_cancel          302 302 302 403 403 403 302 404 403 403 403
POST research_analysis_retry           302 302 302 403 403 403 302 404 403 403 403
POST research_analysis_delete          302 302 302 403 403 403 302 404 403 403 403
GET  research_analysis_export          302 302 302 403 403 403 200 404 403 403 403
GET  research_coding                   302 302 302 403 403 403 200 404 403 403 403
POST research_coding_start             302 302 302 403 403 403 302 404 403 403 403
POST research_coding_add               302 302 302 403 403 403 302 404 403 403 403
POST research_coding_split             302 302 302 403 403 403 302 404 403 403 403
POST research_coding_assign            302 302 302 403 403 403 302 404 403 403 403
POST research_coding_rename            302 302 302 403 403 403 302 404 403 403 403
POST research_coding_merge             302 302 302 403 403 403 302 404 403 403 403
GET  research_conditions               302 302 302 403 403 403 200 200 403 403 403
GET  research_conditions?study         302 302 302 403 403 403 200 404 403 403 403
GET  research_condition                302 302 302 403 403 403 200 404 403 403 403
GET  research_locations                302 302 302 403 403 403 200 200 403 403 403
GET  research_locations?study          302 302 302 403 403 403 200 404 403 403 403
GET  research_interventions            302 302 302 403 403 403 200 200 403 403 403
GET  research_interventions?study      302 302 302 403 403 403 200 404 403 403 403
GET  research_sessions                 302 302 302 403 403 403 200 200 403 403 403
GET  research_sessions?study           302 302 302 403 403 403 200 404 403 403 403
GET  research_session@studied          302 302 302 403 403 403 200 404 403 403 403
GET  research_session_export@studied   302 302 302 403 403 403 200 404 403 403 403
GET  research_student                  302 302 302 403 403 403 200 404 403 403 403

# For scripts and monitors.
GET  analysis_status                   401 401 401 403 403 403 200 404 403 403 403
GET  analysis_requests                 401 401 401 403 403 403 200 200 403 403 403
GET  api_live_sessions                 403 403 403 200 200 200 403 403 200 200 200
GET  api_live_session_events           403 403 403 200 404 404 403 403 200 404 200
GET  api_hourly_metrics?hours          403 403 403 200 200 200 403 403 200 200 200
GET  api_hourly_metrics?hours&school   403 403 403 200 200 404 403 403 200 404 200
POST token                             200 200 200 200 200 200 200 200 200 200 200
POST token_by_code                     404 404 404 404 404 404 404 404 404 404 404
POST token_refresh                     401 401 401 401 401 401 401 401 401 401 401
GET  api_sessions_history              401 200 200 200 200 200 200 200 200 200 200
GET  api_sessions_stats                401 200 200 200 200 200 200 200 200 200 200
GET  api_sessions_warmup               401 200 200 200 200 200 200 200 200 200 200
POST api_sessions_save                 401 201 201 201 201 201 201 201 201 201 201
GET  api_me_data_requests              401 200 200 200 200 200 200 200 200 200 200
POST api_me_data_requests              401 409 201 201 201 201 201 201 201 201 201
GET  api_me_data_request               401 200 404 404 404 404 404 404 404 404 404
GET  api_me_copy                       401 409 404 404 404 404 404 404 404 404 404
POST api_me_link                       401 409 409 409 409 409 409 409 409 409 409
GET  schema                            200 200 200 200 200 200 200 200 200 200 200
GET  docs                              200 200 200 200 200 200 200 200 200 200 200
GET  health_live                        up  up  up  up  up  up  up  up  up  up  up
GET  health_ready                       up  up  up  up  up  up  up  up  up  up  up
GET  health_tables                      up  up  up  up  up  up  up  up  up  up  up

# The data management: its own sign-in sends whoever is not an administrator to 403.
GET  /admin/login/                     302 302 302 403 403 403 403 403 403 403 403
GET  admin:index                       302 302 302 302 302 302 302 302 200 200 200
GET  admin:search                      302 302 302 302 302 302 302 302 200 200 200
POST admin:logout                      302 302 302 302 302 302 302 302 302 302 302
GET  admin:password_change             302 302 302 302 302 302 302 302 200 200 200
GET  admin:password_change_done        302 302 302 302 302 302 302 302 200 200 200
GET  admin:autocomplete?consent        302 302 302 302 302 302 302 302 200 200 200
GET  admin:jsi18n                      302 302 302 302 302 302 302 302 200 200 200
GET  admin:view_on_site                302 302 302 302 302 302 302 302 404 404 404
GET  admin:app_list                    302 302 302 302 302 302 302 302 200 200 200
GET  admin:sessions_app_sessionresult_export 302 302 302 302 302 302 302 302 200 200 200
GET  admin:sessions_app_student_export 302 302 302 302 302 302 302 302 200 200 200
GET  admin:auth_user_password_change   302 302 302 302 302 302 302 302 200 404 200
GET  admin:sessions_app_content_version_next 302 302 302 302 302 302 302 302 404 404 404
GET  admin:sessions_app_content_preview 302 302 302 302 302 302 302 302 404 404 404
GET  admin:sessions_app_questionset_version_next 302 302 302 302 302 302 302 302 404 404 404
GET  admin:sessions_app_questionset_preview 302 302 302 302 302 302 302 302 404 404 404
GET  admin:sessions_app_assessmentform_version_next 302 302 302 302 302 302 302 302 404 404 404
GET  admin:sessions_app_assessmentform_preview 302 302 302 302 302 302 302 302 404 404 404
GET  admin:sessions_app_surveyform_version_next 302 302 302 302 302 302 302 302 404 404 404
GET  admin:sessions_app_surveyform_preview 302 302 302 302 302 302 302 302 404 404 404
GET  admin:sessions_app_schoolclass_import_list 302 302 302 302 302 302 302 302 302 302 302
GET  /admin/nowhere/                   302 302 302 302 302 302 302 302 404 404 404
"""

DATA: dict[str, Any] = {
    "token": json.dumps({"username": "alice", "password": PASSWORD}),
    "token_by_code": '{"code": "WRONG234"}',
    "token_refresh": '{"refresh": "a.b.c"}',
    "api_me_data_requests": '{"kind": "copy"}',
    "api_me_link": '{"code": "WRONG234"}',
    "teach_student_data": {"kind": "deletion", "asked_by": "guardian", "note": "A letter."},
    "practice_enter": {"code": "WRONG234"},
    "api_sessions_save": '{"session_type": "roleplay", "duration_seconds": 60}',
    "student_events": "no JSON, so that whoever holds the ticket comes as far as a 400",
    "teach_board_groups": {"count": "2"},
    "teach_board_move": {"student": "student_session", "group": ""},
    "teach_board_leader": {"student": "student_session"},
    "teach_board_remove": {"student": "student_session"},
    "teach_board_condition": {"student": "student_session", "condition": "L3-I2-D"},
    "teach_board_move_on": {"student": "student_session", "step": "content"},
    "teach_board_move_back": {"student": "student_session"},
    "teach_board_let_back": {"student": "student_session"},
    "teach_board_request": {"decision": "granted"},
    "teach_answer_points": {"points": "1.5", "note": "Said it aloud."},
    "teach_reading_mark": {"word": "0", "to": "omission", "reason": "x"},
    "teach_reading_decide": {"decision": "accept"},
    "teach_passage_new": {"title": "Another", "kind": "passage", "text": "Boats."},
    "teach_passage": {"title": "Another", "text": "Boats."},
    "teach_passage_archive": {"archived": "1"},
    "research_coding_add": {"name": "A code"},
    "research_coding_rename": {"name": "Another name"},
    "research_coding_merge": {"into": "code_id"},
    "research_coding_split": {"name": "Part of it", "passage": "1-0-5"},
    "research_coding_assign": {"passage": "1-0-5", "code": ""},
    "teach_classes": {"name": "Another class"},
    "teach_class": {"label": "Uma"},
    "teach_class_import": {"text": "label\nUma\n"},
    "teach_class_student_rename": {"label": "Sammy"},
    "teach_class_student_consent": {
        "purpose": "audio", "decision": "granted", "given_by": "guardian", "how_obtained": "paper",
        "given_on": "2026-09-01",
    },
}  # fmt: skip
"""What a POST sends so that it succeeds for whoever may; a value that is the name of a key stands for that key."""

QUERIES = {
    "study": {"study": "study"},
    "hours": {"since": "2026-10-20T14:00:00Z", "until": "2026-10-20T16:00:00Z"},
    "school": {"school": "school"},
    "consent": {"app_label": "sessions_app", "model_name": "consent", "field_name": "student", "term": ""},
}

ADMIN_ROWS = """
#                                     list         add          page         save         delete       history
#                                   ada aron root  ada aron root ada aron root ada aron root ada aron root ada aron root
sessions_app.school                 200 200 200  403 403 200  200 404 200  200 404 200  403 403 403  200 404 200
sessions_app.user                   200 200 200  200 200 200  200 404 200  200 404 200  403 403 403  200 404 200
sessions_app.student                200 200 200  200 200 200  200 404 200  200 404 200  403 403 403  200 404 200
sessions_app.schoolclass            200 200 200  200 200 200  200 404 200  200 404 200  403 403 403  200 404 200
sessions_app.consent                200 200 200  200 200 200  200 404 200  403 403 403  403 403 403  200 404 200
sessions_app.livesession            200 200 200  403 403 403  200 404 200  200 404 200  403 403 403  200 404 200
sessions_app.studentsession         200 200 200  403 403 403  200 404 200  403 403 403  403 403 403  200 404 200
sessions_app.sessionevent           200 200 200  403 403 403  200 404 200  403 403 403  403 403 403  200 404 200
sessions_app.condition              200 200 200  403 403 200  200 200 200  403 403 200  403 403 403  200 200 200
sessions_app.study                  200 200 200  403 403 200  200 404 200  200 404 200  403 403 200  200 404 200
sessions_app.content                200 200 200  200 200 200  200 404 200  200 404 200  200 403 200  200 404 200
sessions_app.questionset            200 200 200  200 200 200  200 404 200  200 404 200  200 403 200  200 404 200
sessions_app.assessmentform         200 200 200  200 200 200  200 404 200  200 404 200  200 403 200  200 404 200
sessions_app.assessmentitem         200 200 200  403 403 403  200 404 200  200 404 200  403 403 403  200 404 200
sessions_app.surveyform             200 200 200  200 200 200  200 404 200  200 404 200  200 403 200  200 404 200
sessions_app.contentdelivery        200 200 200  403 403 403  200 404 200  403 403 403  403 403 403  200 404 200
sessions_app.intervention           200 200 200  403 403 403  200 404 200  403 403 403  403 403 403  200 404 200
sessions_app.exchange               200 200 200  403 403 403  200 404 200  403 403 403  403 403 403  200 404 200
sessions_app.assessment             200 200 200  403 403 403  200 404 200  403 403 403  403 403 403  200 404 200
sessions_app.assessmentanswer       200 200 200  403 403 403  200 404 200  302 404 302  403 403 403  200 404 200
sessions_app.surveyresponse         200 200 200  403 403 403  200 404 200  403 403 403  403 403 403  200 404 200
sessions_app.passage                200 200 200  403 403 403  200 200 200  403 403 403  403 403 403  200 200 200
sessions_app.reading                200 200 200  403 403 403  200 404 200  403 403 403  403 403 403  200 404 200
sessions_app.sessionsummary         200 200 200  403 403 403  200 404 200  403 403 403  403 403 403  200 404 200
sessions_app.audiochunk             200 200 200  403 403 403  200 404 200  403 403 403  403 403 403  200 404 200
sessions_app.learner                200 200 200  403 403 403  200 404 200  403 403 403  403 403 403  200 404 200
sessions_app.sessionresult          200 200 200  403 403 403  200 404 200  403 403 403  403 403 403  200 404 200
sessions_app.datarequest            200 200 200  403 403 403  200 404 200  403 403 403  403 403 403  200 404 200
sessions_app.erasedaccount          403 403 200  403 403 403  403 403 200  403 403 403  404 404 200  404 404 200
sessions_app.refusedsubmission         200 200 200  403 403 403  200 404 200  403 403 403  403 403 403  200 404 200
sessions_app.learnercode               200 200 200  403 403 403  200 404 200  403 403 403  403 403 403  200 404 200
sessions_app.corpus                    403 403 200  403 403 403  403 403 200  403 403 403  403 403 403  404 404 200
sessions_app.corpustext                403 403 200  403 403 403  403 403 200  403 403 403  403 403 403  404 404 200
sessions_app.code                      403 403 200  403 403 403  403 403 200  403 403 403  403 403 403  404 404 200
sessions_app.coding                    403 403 200  403 403 403  403 403 200  403 403 403  403 403 403  404 404 200
analytics_app.analysis                 403 403 200  403 403 403  403 403 200  403 403 403  403 403 403  404 404 200
sessions_app.accesslog              200 200 200  403 403 403  200 404 200  403 403 403  403 403 403  200 404 200
sessions_app.modelcall              200 200 200  403 403 403  200 404 200  403 403 403  403 403 403  200 404 200
sessions_app.joinfailures           403 403 200  403 403 403  403 403 200  403 403 403  403 403 403  404 404 200
analytics_app.outboxitem            403 403 200  403 403 403  403 403 200  403 403 403  403 403 403  404 404 200
analytics_app.deadletter            403 403 200  403 403 403  403 403 200  403 403 403  403 403 403  404 404 200
analytics_app.mirrorhour            403 403 200  403 403 403  403 403 200  403 403 403  403 403 403  404 404 200
analytics_app.indexuse              403 403 200  403 403 403  403 403 200  403 403 403  403 403 403  404 404 200
analytics_app.rolluprun             403 403 200  403 403 403  403 403 200  403 403 403  403 403 403  404 404 200
analytics_app.conditionstatistics   403 403 200  403 403 403  403 403 200  403 403 403  403 403 403  404 404 200
analytics_app.dashboardmetricshourly 200 200 200 403 403 403  200 404 200  403 403 403  403 403 403  200 404 200
procrastinate.procrastinatejob      403 403 200  403 403 403  403 403 302  403 403 403  403 403 403  302 302 302
"""
ADMINISTRATORS = ("ada", "aron", "root")
PAGES = (
    ("list", "changelist", "get"), ("add", "add", "get"), ("page", "change", "get"), ("save", "change", "post"),
    ("delete", "delete", "get"), ("history", "history", "get"),
)  # fmt: skip

SOCKETS = {"ws/sessions/<uuid:session>/teacher/", "ws/sessions/<uuid:student_session>/student/"}
"""Their rows are in tests/sessions_app/live/test_who_may_connect.py: they need a running server."""


def rows(text: str) -> Iterator[list[str]]:
    return (line.split() for line in text.splitlines() if line.strip() and not line.startswith("#"))


def routes(patterns: Any = None, prefix: str = "", space: str = "") -> Iterator[tuple[str, str, URLPattern]]:
    """Every route: its address, its name (with its namespace), and its pattern."""
    for pattern in patterns if patterns is not None else get_resolver().url_patterns:
        address = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield address, f"{space}{pattern.name}" if pattern.name else f"/{address}", pattern
        else:
            yield from routes(
                pattern.url_patterns, address, f"{space}{pattern.namespace}:" if pattern.namespace else space
            )


BY_TOKEN = ("api_sessions_", "api_me_")
"""Doors that open by a token alone; a session of the browser, or none, is a 401 (test_tokens.py)."""


def status(
    world: World, who: str, method: str, url: str, data: Any = None, query: Any = None, *, bearer: bool = False
) -> int:
    """What somebody gets; what it did is undone. `data` is a form's fields, or text that is JSON."""
    client = world.client(who, bearer=bearer)
    kind = {"content_type": "application/json"} if isinstance(data, str) else {}
    with transaction.atomic():
        answer = getattr(client, method)(url, data, query_params=query, **kind)
        transaction.set_rollback(True)
    return int(answer.status_code)


ROUTES = {name: pattern for _address, name, pattern in routes()}


def address(world: World, door: str) -> tuple[str, dict[str, Any]]:
    """The address of a door, as `name@session?query&query` with Alice's keys, and its query."""
    path, _mark, asked = door.partition("?")
    query = {k: world.keys.get(v, v) for q in asked.split("&") if q for k, v in QUERIES[q].items()}
    if path.startswith("/"):
        return path, query
    name, _at, session = path.partition("@")
    pattern: Any = ROUTES[name].pattern
    names = list(getattr(pattern, "converters", None) or pattern.regex.groupindex)
    keys = {
        **world.keys,
        "session_id": world.keys[session or "session_id"],
        "object_id": world.keys["class_id"],
        "content_type_id": 0,
        "id": world.keys["user"],
        "app_label": "sessions_app",
    }
    return reverse(name, kwargs={key: keys[key] for key in names}), query


@pytest.mark.parametrize("row", list(rows(ROWS)), ids=lambda row: f"{row[0]} {row[1]}")
def test_a_door_opens_for_whom_it_should(row: list[str], world: World):
    method, door, *expected = row
    url, query = address(world, door)
    data: Any = DATA.get(door.partition("@")[0]) if method == "POST" else None
    if isinstance(data, dict):
        data = {key: world.keys.get(value, value) for key, value in data.items()}
    results.save_result(findings(world.keys["analysis_request"]))  # what happens to a file is not undone
    bearer = door.startswith(BY_TOKEN)
    found = [str(status(world, who, method.lower(), url, data, query, bearer=bearer)) for who in WHO]
    if door.startswith("health_"):
        found = ["up" if code in {"200", "503"} else code for code in found]
    assert dict(zip(WHO, found, strict=True)) == dict(zip(WHO, expected, strict=True))


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """One for all doors, because what happens at a door is undone."""
    with lasting(django_db_blocker):
        yield make_world()


ADMIN = {model: codes for model, *codes in rows(ADMIN_ROWS)}


@pytest.fixture(scope="module")
def one_of_each(world: World, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, Any]]:
    """A row of Ada's school, or of the installation where rows belong to no school."""
    with lasting(django_db_blocker):
        yield rows_of(world)


def rows_of(world: World) -> dict[str, Any]:
    alice, school = world.people["alice"], world.people["alice"].school
    made: list[Any] = [
        School.objects.get(pk=school.pk), alice, Student.objects.get(pk=world.keys["student_id"]),
        SchoolClass.objects.get(pk=world.keys["class_id"]), world.members["sam"], world.members["sam"].session,
        world.members["sam"].student.consents.first(), SessionEvent.objects.first(), Condition.objects.first(),
        Study.objects.get(pk=world.keys["study"]), OutboxItem.objects.first(),
        AccessLog.objects.create(user=alice, school=school, action="board"),
        RefusedSubmission.objects.create(
            student_session=world.members["sam"], action="answer", reason="session_over", key=uuid.uuid4(), content={}
        ),
        LearnerCode.objects.create(
            student_id=world.keys["student_id"], code="x", made_by=alice, expires_at=TIME_ZERO
        ),
        *analysed(world.people["rosa"]),
        *practised(world), ErasedAccount.objects.create(account="x"),
        *read_aloud(world.members["sam"]), *studied(world.members["sam"]),
        JoinFailures.objects.create(address="x", window=TIME_ZERO),
        ModelCall.objects.create(school=school, purpose="help", model="x", outcome="error", latency_ms=1),
        DeadLetter.objects.create(kind="student", entity_id=uuid.uuid4(), error_code="x", reason="x", attempts=1),
        MirrorHour.objects.create(hour=TIME_ZERO), IndexUse.objects.create(day=TIME_ZERO, table="x", pattern="x"),
        RollupRun.objects.create(scope="hour", started_at=TIME_ZERO),
        ConditionStatistics.objects.create(
            id=uuid.uuid4(), partition_key="x", sort_key="x", condition=Condition.objects.get(code="L1-I1-D"),
            start=TIME_ZERO.date(), end=TIME_ZERO.date(), sessions=0, suppressed=False, figures={},
            changed_at=TIME_ZERO, checked_at=TIME_ZERO,
        ),
        DashboardMetricsHourly.objects.create(
            school=school, metric_hour=TIME_ZERO, calculation_method="x", calculated_at=TIME_ZERO
        ),
    ]  # fmt: skip
    return {row._meta.label_lower: row for row in made}


def analysed(rosa: User) -> list[Any]:
    """One of Rosa's texts, what she made of it, and a run over it."""
    corpus = Corpus.objects.create(owner=rosa, kind="upload", name="Interviews")
    text = CorpusText.objects.create(corpus=corpus, number=1, name="one.txt", text="It was the river.")
    code = Code.objects.create(corpus=corpus, name="Water", made_by=rosa)
    return [
        corpus, text, code, Coding.objects.create(text=text, start=0, end=5, code=code, coder=rosa),
        Analysis.objects.create(corpus=corpus),
    ]  # fmt: skip


def practised(world: World) -> list[Any]:
    """Sam as a learner with a result, and the request that Sam made."""
    learner = Learner.objects.get(student=world.keys["student_id"])
    result = SessionResult.objects.create(learner=learner, session_type="roleplay", duration_seconds=60)
    return [learner, result, DataRequest.objects.get(pk=world.keys["request_id"])]


def read_aloud(member: StudentSession) -> list[Any]:
    """A passage that all schools share, and one of each kind of row of its reading."""
    consent(member.student, "audio")
    passage = Passage.objects.create(title="The canal", text="Boats brought coal.")
    reading = Reading.objects.create(school=member.school, student_session=member, passage=passage)
    stream = AudioStream.objects.create(reading=reading, number=0, codec="webm")
    return [
        passage, reading, AudioChunk.objects.create(stream=stream, number=0, bytes=4),
        SessionSummary.objects.create(
            student_session=member, words=3, seconds=1, transcript="boats brought coal", grade_level="at_grade_level"
        ),
    ]  # fmt: skip


def studied(member: StudentSession) -> list[Any]:
    """The school's own material of a study, and one of each kind of row of a run in it."""
    for purpose in ("participation", "survey"):
        consent(member.student, purpose)
    complete_study(member.session.study, school=member.school)
    assign(member, "L3-I1-S")
    walk(member)
    form = make_form("final", slug="another-final", school=member.school)
    return [
        make_content("another", school=member.school), make_question_set(slug="another", school=member.school), form,
        form.items.first(), make_survey(slug="another", school=member.school), member.content_delivery,
        member.interventions.first(), Exchange.objects.first(), member.assessments.first(),
        AssessmentAnswer.objects.first(), member.survey_response,
    ]  # fmt: skip


@contextmanager
def not_drawn() -> Iterator[None]:
    """Within, a page is answered without being drawn, nor the menu beside it: the same page is drawn for root."""
    with (
        patch.object(SimpleTemplateResponse, "rendered_content", ""),
        patch.object(admin.site, "get_app_list", return_value=[]),
    ):
        yield


@pytest.mark.parametrize("model", ADMIN)
def test_rows_are_managed_by_whom_they_should_be(model: str, world: World, one_of_each: dict[str, Any]):
    key = one_of_each[model].pk if model in one_of_each else 0
    expected = iter(ADMIN[model])
    for name, page, method in PAGES:
        url = reverse(f"admin:{model.replace('.', '_')}_{page}", args=[] if page in {"changelist", "add"} else [key])
        found = {}
        for who in ADMINISTRATORS:
            with nullcontext() if who == "root" else not_drawn():
                found[who] = str(status(world, who, method, url))
        assert (name, found) == (name, {who: next(expected) for who in ADMINISTRATORS})
        for who in ("nobody", "sam", "alice", "rosa"):
            assert (name, who, status(world, who, method, url)) == (name, who, 302)


def test_whoever_is_no_administrator_ends_at_403_and_not_at_a_sign_in(world: World):
    for who in ("alice", "bob", "charlie", "rosa", "rolf"):
        assert world.client(who).get("/admin/sessions_app/student/", follow=True).status_code == 403


UNNAMED = {"/admin/login/", "/admin/(?P<url>.*)$", *(f"/admin/{m.replace('.', '/')}/<path:object_id>/" for m in ADMIN)}
"""The sign-in, what is nowhere, and the short addresses of rows, which lead to their pages."""


def test_every_route_has_a_row():
    named = {row[1].partition("?")[0].partition("@")[0] for row in rows(ROWS)}
    of_models = {f"admin:{model.replace('.', '_')}_{page}" for model in ADMIN for _name, page, _method in PAGES}
    instead_of = {"admin:login": "/admin/login/"}
    assert set(ROUTES) - named - of_models - set(instead_of) - UNNAMED == set()


def test_every_row_is_of_a_route():
    named = {row[1].partition("?")[0].partition("@")[0] for row in rows(ROWS)}
    assert {name for name in named if not name.startswith("/")} <= set(ROUTES)
    assert set(ADMIN) == {model._meta.label_lower for model in admin.site._registry}


def test_every_socket_has_a_row():
    assert {str(route.pattern) for route in routing.urlpatterns} == SOCKETS
