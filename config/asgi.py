"""The ASGI application: HTTP to Django, sockets to `sessions_app.live`."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from config.local import stack

stack.ensure()

from channels.routing import ProtocolTypeRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application

http = get_asgi_application()

from sessions_app.live.routing import sockets

application = ProtocolTypeRouter({"http": http, "websocket": AllowedHostsOriginValidator(sockets)})
