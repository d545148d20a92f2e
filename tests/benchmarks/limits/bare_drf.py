"""What saving a result is measured against: a view of DRF that inserts the same row, and checks and asks nothing."""

from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

from django.db import connection
from django.urls import include, path
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions_app.models.identity import uuid7
from sessions_app.practice import SENT
from tests.benchmarks.learner import LEARNER

INSERT = (Path(__file__).parent / "insert_result.sql").read_text()


class BareSave(APIView):
    authentication_classes: ClassVar[list[Any]] = []
    permission_classes: ClassVar[list[Any]] = []
    parser_classes: ClassVar = [JSONParser]
    renderer_classes: ClassVar = [JSONRenderer]

    def post(self, request: Request) -> Response:
        key = uuid7()
        with connection.cursor() as cursor:
            cursor.execute(INSERT, [key, UUID(LEARNER), *(request.data[name] for name in SENT[:-1])])
        return Response({"id": key, **request.data}, status=201)


urlpatterns = [path("bare/save", BareSave.as_view()), path("", include("config.urls"))]
