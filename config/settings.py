"""Django's settings. Everything that differs between deployments comes from the environment (docs/operator-guide.md).

Importing this module starts nothing; `config.local.stack.ensure()` starts the embedded Postgres and AWS.
"""

import sys
from datetime import timedelta
from pathlib import Path

from corsheaders.defaults import default_headers
from csp.constants import NONCE

from config import env, logs
from config.local import postgres

try:
    from config import checked
except env.BadSetting as error:
    sys.exit(f"lyceum: {error}")

ROOT = Path(__file__).resolve().parent.parent
LYCEUM_HOME = checked.LYCEUM_HOME

DEBUG = checked.DEBUG
SECRET_KEY = checked.SECRET_KEY
ALLOWED_HOSTS = checked.ALLOWED_HOSTS
CSRF_TRUSTED_ORIGINS = checked.CSRF_TRUSTED_ORIGINS

INSTALLED_APPS = [
    "daphne",
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.import_export",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "channels",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "axes",
    "import_export",
    "pgtrigger",
    "pghistory",
    "procrastinate.contrib.django",
    "config.local",
    "sessions_app",
    "analytics_app",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "csp.context_processors.nonce",
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# One pool per process, because an ASGI process that keeps connections per thread leaks them. A connection is looked at
# before it is given out, so that a restart of the database costs nobody an error.
DATABASES = {
    "default": {
        **checked.DATABASE,
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            **checked.DATABASE["OPTIONS"],  # type: ignore[dict-item]
            "pool": {"min_size": 2, "max_size": 8, "timeout": 10},
        },
        "TEST": {"NAME": f"test_{checked.DATABASE['NAME']}"},
    }
}
EMBEDDED_POSTGRES = checked.EMBEDDED_POSTGRES
EMBEDDED_AWS = checked.EMBEDDED_AWS

REDIS_URL = checked.REDIS_URL
CHANNEL_LAYERS = {
    "default": (
        {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}
        if REDIS_URL
        else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    )
}

AWS_REGION = checked.AWS_REGION
DYNAMODB_TABLE_PREFIX = checked.DYNAMODB_TABLE_PREFIX
DYNAMODB_TABLE_NAME = checked.DYNAMODB_TABLE_NAME
DYNAMODB_REGION = checked.DYNAMODB_REGION
BEDROCK_MODEL_ID = checked.BEDROCK_MODEL_ID
BEDROCK_ENDPOINT_URL = checked.BEDROCK_ENDPOINT_URL
BEDROCK_PRICES = checked.BEDROCK_PRICES
QUESTIONER = checked.QUESTIONER
SCORER = checked.SCORER

TRANSCRIBER = checked.TRANSCRIBER
TRANSCRIBE_ENDPOINT_URL = checked.TRANSCRIBE_ENDPOINT_URL
TRANSCRIBE_PRICE = checked.TRANSCRIBE_PRICE
VOICE = checked.VOICE
POLLY_ENDPOINT_URL = checked.POLLY_ENDPOINT_URL
POLLY_PRICE = checked.POLLY_PRICE

AUTH_USER_MODEL = "sessions_app.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"

# By user and address together: by address alone, one child's mistakes would lock out a school.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 1 / 6  # hours
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # the page says when to try again, and means it
AXES_LOCKOUT_CALLABLE = "sessions_app.views.account.paused"
AXES_USERNAME_CALLABLE = "sessions_app.views.account.counted_name"
AXES_ENABLE_ADMIN = False
AXES_ENABLE_ACCESS_FAILURE_LOG = False
AXES_VERBOSE = False

PUBLIC_URL = checked.PUBLIC_URL
DEFAULT_FROM_EMAIL = SERVER_EMAIL = checked.MAIL_FROM
EMAIL_BACKEND = checked.MAIL["BACKEND"]
EMAIL_FILE_PATH = checked.MAIL.get("FILE_PATH")
EMAIL_HOST = checked.MAIL.get("HOST", "")
EMAIL_PORT = checked.MAIL.get("PORT", 25)
EMAIL_HOST_USER = checked.MAIL.get("HOST_USER", "")
EMAIL_HOST_PASSWORD = checked.MAIL.get("HOST_PASSWORD", "")
EMAIL_USE_SSL = checked.MAIL.get("USE_SSL", False)
EMAIL_USE_TLS = checked.MAIL.get("USE_TLS", False)
EMAIL_TIMEOUT = 10

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español")]
LOCALE_PATHS = [ROOT / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = LYCEUM_HOME / "static"
STATICFILES_DIRS = [ROOT / "static", *checked.PACKAGE_STATIC]
SERVESTATIC_USE_FINDERS = True
SERVESTATIC_AUTOREFRESH = DEBUG

# Kept recordings are read by the application alone, never by their address.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "audio": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": LYCEUM_HOME / "audio",
            "base_url": None,
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
    "analyses": (
        {"BACKEND": "analytics_app.mirror.objects.S3Storage", "OPTIONS": {"bucket": checked.ANALYSIS_BUCKET}}
        if checked.ANALYSIS_BUCKET
        else {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {
                "location": LYCEUM_HOME / "analyses",
                "base_url": None,
                "allow_overwrite": True,
                "file_permissions_mode": 0o600,
                "directory_permissions_mode": 0o700,
            },
        }
    ),
}

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 7 * 24 * 3600
CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = JOIN_COOKIE_SECURE = checked.HTTPS
SECURE_SSL_REDIRECT = checked.HTTPS
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if checked.HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = checked.HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if checked.HTTPS else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
CSRF_FAILURE_VIEW = "sessions_app.views.problems.csrf_failure"

CONTENT_SECURITY_POLICY = {
    "EXCLUDE_URL_PREFIXES": ["/admin/"],
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'", NONCE],
        "style-src": ["'self'", NONCE],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "font-src": ["'self'"],
        "media-src": ["'self'", "blob:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    },
}
PERMISSIONS_POLICY = {
    "geolocation": "self",
    "microphone": "self",
    "camera": [],
    "payment": [],
    "usb": [],
    "browsing-topics": [],
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["sessions_app.api.parsing.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "sessions_app.api.errors.handle",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
TOKENS_OF_OURS = "lyceum"
"""Issuer and audience of the tokens that Lyceum itself gives (`sessions_app.tokens`)."""
TOKEN_LEEWAY = timedelta(seconds=10)
SIMPLE_JWT = {
    "ALGORITHM": "HS256",
    "SIGNING_KEY": checked.JWT_SIGNING_KEY,
    "ISSUER": TOKENS_OF_OURS,
    "AUDIENCE": TOKENS_OF_OURS,
    "LEEWAY": TOKEN_LEEWAY,
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=30),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=14),
}
SUPABASE_JWT_SECRET = checked.SUPABASE_JWT_SECRET
SUPABASE_JWT_AUDIENCE = checked.SUPABASE_JWT_AUDIENCE
SUPABASE_JWT_ISSUER = checked.SUPABASE_JWT_ISSUER

# Clients in other origins authenticate by token, so no cookie of ours ever goes with their requests.
CORS_ALLOWED_ORIGINS = checked.CORS_ALLOWED_ORIGINS
CORS_URLS_REGEX = r"^/(api|analysis)/"
CORS_ALLOW_HEADERS = (*default_headers, "idempotency-key")
CORS_EXPOSE_HEADERS = ("Retry-After",)

SPECTACULAR_SETTINGS = {
    "TITLE": "Lyceum",
    "DESCRIPTION": "Live learning sessions, the record of them, and what worked.\n\nGet a token at `/api/token/` (an"
    " account's name and password) or `/api/token/code/` (a student's code), choose *Authorize*, and try it out. Every"
    " error has one shape: a code for programs, a message for people, and the fields that are wrong.",
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "defaultModelsExpandDepth": 0, "displayRequestDuration": True},
    "ENUM_NAME_OVERRIDES": {
        "AnalysisState": ["pending", "processing", "completed", "failed"],
        "RequestState": "sessions_app.models.DataRequest.Status",
        "StepState": "sessions_app.models.DataRequestStep.Status",
    },
}

PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"
PGTRIGGER_SCHEMA_EDITOR = True

UNFOLD = {
    "SITE_TITLE": "Lyceum",
    "SITE_HEADER": "Lyceum",
    "SITE_SUBHEADER": "Data management",
    "SITE_URL": "/",
    "SHOW_HISTORY": True,
    "DASHBOARD_CALLBACK": "sessions_app.admin.dashboard.counts",
    "SIDEBAR": {"navigation": "sessions_app.admin.menu.navigation"},
    "SITE_ICON": lambda request: f"{STATIC_URL}icon.svg",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: f"{STATIC_URL}icon.svg"}],
    "STYLES": [lambda request: f"{STATIC_URL}css/admin.css"],
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "filters": {
        "refusals": {"()": "django.utils.log.CallbackFilter", "callback": logs.without_traceback_of_refusals},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": checked.LOG_LEVEL},
    "loggers": {
        "daphne": {"level": "WARNING"},
        "django.request": {"filters": ["refusals"]},
        "axes": {"level": "WARNING"},
        "procrastinate": {"level": "WARNING"},
        "botocore": {"level": "WARNING"},
    },
}

SILENCED_SYSTEM_CHECKS: list[str] = []
EMBEDDED_SOCKET_DIRECTORY = postgres.socket_directory(LYCEUM_HOME)
