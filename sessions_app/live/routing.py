"""Which address is which socket."""

from channels.routing import URLRouter
from django.urls import path

from sessions_app.live.student import StudentSocket
from sessions_app.live.teacher import TeacherSocket

urlpatterns = [
    path("ws/sessions/<uuid:session>/teacher/", TeacherSocket.as_asgi()),
    path("ws/sessions/<uuid:student_session>/student/", StudentSocket.as_asgi()),
]

sockets = URLRouter(urlpatterns)
