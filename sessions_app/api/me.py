"""One's own account and data: link it to a school's student, ask for a copy of everything or for its deletion."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from sessions_app import access, data_requests, learners
from sessions_app.api.practice import INVALID, LearnerView
from sessions_app.api.schema import NO_TOKEN, TOO_OFTEN, StrictBody, error
from sessions_app.api.tokens import NOT_JSON, CodeBody
from sessions_app.erasure import STORES
from sessions_app.models import DataRequest, DataRequestStep, Learner

TAG = ["Your data"]


class RequestBody(StrictBody):
    kind = serializers.ChoiceField(DataRequest.Kind.values)


class StepAnswer(serializers.Serializer[Any]):
    store = serializers.CharField()
    status = serializers.ChoiceField(DataRequestStep.Status.values)
    rows = serializers.IntegerField()


class RequestAnswer(serializers.Serializer[Any]):
    """A request and how far it is. A deletion ends with a 401: there is no account any more that could ask."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(DataRequest.Kind.values)
    status = serializers.ChoiceField(DataRequest.Status.values)
    requested_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    copy_until = serializers.DateTimeField(allow_null=True, help_text="Until when the copy can be had.")
    steps = StepAnswer(many=True)


class RequestList(serializers.Serializer[Any]):
    requests = RequestAnswer(many=True)


ASKED = {
    "id": "0199a3f2-7b7a-7c3e-9b1d-6a1f2e3d4c5b", "kind": "copy", "status": "done",
    "requested_at": "2026-10-20T14:05:00Z", "finished_at": "2026-10-20T14:06:00Z", "copy_until": "2026-11-19T14:06:00Z",
    "steps": [{"store": STORES[2].name, "status": "done", "rows": 210}],
}  # fmt: skip
EXAMPLE = [OpenApiExample("A request", ASKED, response_only=True)]
NOT_THERE = {404: error("No such request of yours.", "not_found", "Not found.")}
NOT_READY = {
    409: error("The copy is not ready, or not kept any more.", "copy_not_ready", "The copy is not ready, or is not…")
}


COPIES: dict[Any, Any] = {
    (200, "application/json"): OpenApiTypes.OBJECT,
    (200, "application/zip"): OpenApiTypes.BINARY,
}


def _told(request: DataRequest) -> dict[str, Any]:
    return {
        "id": request.pk,
        "kind": request.kind,
        "status": request.status,
        "requested_at": request.requested_at,
        "finished_at": request.finished_at,
        "copy_until": request.expires_at,
        "steps": [{"store": s.store, "status": s.status, "rows": s.rows} for s in data_requests.steps(request)],
    }


class Link(LearnerView):
    """Say that an account is that of a school's student, by a code of the teacher's: results count for the class."""

    @extend_schema(
        tags=TAG,
        operation_id="me_link",
        summary="Link your account to a student",
        request=CodeBody,
        responses={
            204: OpenApiResponse(description="Linked."),
            400: INVALID,
            **NO_TOKEN,
            404: error("The code is not good, or no longer.", "code_not_good", "That code is not good, or no longer."),
            409: error("The account is another student's.", "linked_already", "This account belongs to another…"),
            **NOT_JSON,
            **TOO_OFTEN,
        },
    )
    def post(self, request: Request) -> Response:
        body = CodeBody(data=request.data)
        body.is_valid(raise_exception=True)
        address = request.META.get("REMOTE_ADDR", "")
        learners.learner_link(request.user.learner_id, body.validated_data["code"], address=address)
        return Response(status=204)


class DataRequests(LearnerView):
    """Your requests for a copy of your data, or for its deletion."""

    @extend_schema(
        tags=TAG,
        operation_id="data_requests_list",
        summary="List your requests",
        responses={200: RequestList, **NO_TOKEN, **TOO_OFTEN},
    )
    def get(self, request: Request) -> Response:
        found = access.own_data_requests(request.user).prefetch_related("steps")
        return Response({"requests": [_told(each) for each in found]})

    @extend_schema(
        tags=TAG,
        operation_id="data_requests_make",
        summary="Ask for a copy or for deletion",
        description="A copy is made within minutes. A deletion is begun at once for a learner of no school; the "
        "deletion of a school's student is decided by the school.",
        request=RequestBody,
        responses={
            201: OpenApiResponse(RequestAnswer, "It is written down.", EXAMPLE),
            400: INVALID,
            **NO_TOKEN,
            409: error("The same is being answered.", "requested_already", "The same has been asked for already."),
            **NOT_JSON,
            **TOO_OFTEN,
        },
    )
    def post(self, request: Request) -> Response:
        body = RequestBody(data=request.data)
        body.is_valid(raise_exception=True)
        learner = Learner.objects.select_related("student").get(pk=request.user.learner_id)
        made = data_requests.request_make(learner=learner, asked_by="learner", **body.validated_data)
        return Response(_told(made), status=201)


class OneDataRequest(LearnerView):
    """One request and how far it is."""

    @extend_schema(
        tags=TAG,
        operation_id="data_requests_read",
        summary="See how far a request is",
        responses={200: OpenApiResponse(RequestAnswer, "The request.", EXAMPLE), **NO_TOKEN, **NOT_THERE, **TOO_OFTEN},
    )
    def get(self, request: Request, request_id: UUID) -> Response:
        return Response(_told(access.own_data_request(request.user, request_id)))


class DataCopy(LearnerView):
    """The copy that was made."""

    FORMS: ClassVar = {"json": "application/json", "zip": "application/zip"}

    @extend_schema(
        tags=TAG,
        operation_id="data_requests_copy",
        summary="Get your copy",
        description="`copy.json` is one object with a list of rows for each table; `copy.zip` has a CSV for each, the "
        "sound that is kept, and the JSON.",
        parameters=[OpenApiParameter("copy_form", str, OpenApiParameter.PATH, enum=list(FORMS))],
        responses=COPIES | NO_TOKEN | NOT_THERE | NOT_READY | TOO_OFTEN,
    )
    def get(self, request: Request, request_id: UUID, copy_form: str) -> HttpResponseBase:
        if copy_form not in self.FORMS:
            raise access.Hidden
        return copy_response(access.own_data_request(request.user, request_id), copy_form)


def copy_response(asked: DataRequest, form: str) -> HttpResponse:
    """A copy as a file. Its name says what it is; refuses `copy_not_ready`."""
    content = data_requests.copy_as_json(asked) if form == "json" else data_requests.copy_as_archive(asked)
    response = HttpResponse(content, content_type=DataCopy.FORMS[form])
    day = asked.finished_at.date() if asked.finished_at else ""
    response["Content-Disposition"] = f'attachment; filename="copy-{day}-{asked.pk}-identifiable.{form}"'
    response["Cache-Control"] = "no-store"
    return response
