"""The values that the environment gave, read and checked once, at the start.

A bad one raises `env.BadSetting`; `config.settings` turns it into one sentence and ends the process.
"""

import hashlib
import hmac
import re
import secrets
import shutil
from importlib.util import find_spec
from pathlib import Path

from config import env
from config.local import postgres

_ROOT = Path(__file__).resolve().parent.parent

LYCEUM_HOME = env.home(_ROOT)
DEBUG = env.flag("DEBUG", default=False)
LOG_LEVEL = env.choice("LOG_LEVEL", {"DEBUG", "INFO", "WARNING", "ERROR"}, "INFO")

EMBEDDED_POSTGRES = not env.text("DATABASE_URL")
DATABASE = env.database("DATABASE_URL", postgres.database_url(LYCEUM_HOME))
REDIS_URL = env.url("REDIS_URL", ("redis", "rediss", "unix"))

AWS_REGION = env.text("AWS_REGION") or env.text("AWS_DEFAULT_REGION", "us-east-1")
# A child of a process with an embedded AWS finds its address in the environment, and is as much a user of it.
EMBEDDED_AWS = bool(env.text("LYCEUM_EMBEDDED_AWS")) and env.text("LYCEUM_EMBEDDED_AWS") == env.text("AWS_ENDPOINT_URL")
EMBEDDED_AWS = EMBEDDED_AWS or not (
    env.url("AWS_ENDPOINT_URL", ("http", "https"))
    or env.text("AWS_ACCESS_KEY_ID")
    or env.text("AWS_PROFILE")
    or env.text("AWS_ROLE_ARN")
    or env.text("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
)
DYNAMODB_TABLE_PREFIX = env.text("DYNAMODB_TABLE_PREFIX")
if not all(c.isascii() and (c.isalnum() or c in "._-") for c in DYNAMODB_TABLE_PREFIX):
    raise env.BadSetting("DYNAMODB_TABLE_PREFIX may hold letters, digits, dot, dash and underscore only.")

# No model: what needs one works by rules instead. Prices are in USD for a million tokens sent and answered.
BEDROCK_MODEL_ID = env.text("BEDROCK_MODEL_ID")
BEDROCK_ENDPOINT_URL = env.url("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", ("http", "https"))
BEDROCK_PRICES = (env.price("BEDROCK_INPUT_USD"), env.price("BEDROCK_OUTPUT_USD"))

# Who makes the questions of dynamic interventions, and who scores short answers.
QUESTIONER = env.choice("QUESTIONER", ("rules", "bedrock"), "rules")
SCORER = env.choice("SCORER", ("rules", "bedrock"), "rules")
if "bedrock" in {QUESTIONER, SCORER} and not BEDROCK_MODEL_ID:
    raise env.BadSetting("QUESTIONER or SCORER is bedrock, so BEDROCK_MODEL_ID must name the model.")

# Who turns speech into words, and who speaks; each on this machine or at AWS. Prices in USD: of a minute of audio, of a
# million characters.
TRANSCRIBER = env.choice("TRANSCRIBER", {"pocketsphinx", "amazon"}, "pocketsphinx")
TRANSCRIBE_ENDPOINT_URL = env.url("AWS_ENDPOINT_URL_TRANSCRIBE_STREAMING", ("https",))
TRANSCRIBE_PRICE = env.price("TRANSCRIBE_USD")
if TRANSCRIBER == "amazon" and EMBEDDED_AWS and not TRANSCRIBE_ENDPOINT_URL:
    raise env.BadSetting("TRANSCRIBER is amazon, which needs AWS credentials, for example AWS_PROFILE.")
VOICE = env.choice("VOICE", {"browser", "espeak", "polly"}, "browser")
POLLY_ENDPOINT_URL = env.url("AWS_ENDPOINT_URL_POLLY", ("http", "https"))
POLLY_PRICE = env.price("POLLY_USD")
if VOICE == "espeak" and shutil.which("espeak-ng") is None:
    raise env.BadSetting("VOICE is espeak, and the program espeak-ng is not installed.")
if VOICE == "polly" and EMBEDDED_AWS and not POLLY_ENDPOINT_URL:
    raise env.BadSetting("VOICE is polly, which needs AWS credentials, for example AWS_PROFILE.")

# Of the qualitative analyses: the table that tracks them, and the bucket of their results (unset: a directory).
DYNAMODB_TABLE_NAME = env.text("DYNAMODB_TABLE_NAME", "design-analysis-tracking")
if not re.fullmatch(r"[A-Za-z0-9._-]{3,200}", DYNAMODB_TABLE_NAME):
    raise env.BadSetting("DYNAMODB_TABLE_NAME may hold letters, digits, dot, dash and underscore only, 3 at least.")
DYNAMODB_REGION = env.text("DYNAMODB_REGION", AWS_REGION)
ANALYSIS_BUCKET = env.text("ANALYSIS_BUCKET")
if ANALYSIS_BUCKET and not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", ANALYSIS_BUCKET):
    raise env.BadSetting(f"ANALYSIS_BUCKET must be the name of a bucket, not {ANALYSIS_BUCKET!r}.")

# Where mail goes; unset: into files in LYCEUM_HOME/mail. PUBLIC_URL is where people find us, for the links in it.
MAIL = env.mail("EMAIL_URL", LYCEUM_HOME / "mail")
MAIL_FROM = env.text("EMAIL_FROM", "Lyceum <lyceum@localhost>")
PUBLIC_URL = env.url("PUBLIC_URL", ("http", "https")).rstrip("/")

ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"])
HTTPS = env.flag("HTTPS", default=not EMBEDDED_POSTGRES and not DEBUG)
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS if HTTPS and host not in {"*", ".*"}]


def _secret_key() -> str:
    """The key that was given, or, beside embedded data, one made once and kept with it."""
    if given := env.secret("SECRET_KEY", least=32):
        return given
    if not EMBEDDED_POSTGRES:
        raise env.BadSetting("SECRET_KEY must be set when DATABASE_URL is set.")
    kept = LYCEUM_HOME / "secret-key"
    try:
        LYCEUM_HOME.mkdir(parents=True, exist_ok=True)
        with kept.open("x") as file:
            kept.chmod(0o600)
            file.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    except OSError as error:
        raise env.BadSetting(f"LYCEUM_HOME cannot be written: {error.strerror} ({LYCEUM_HOME}).") from None
    return kept.read_text() or _read_again(kept)


def _read_again(path: Path) -> str:
    import time

    for _ in range(50):
        time.sleep(0.02)
        if content := path.read_text():
            return content
    raise env.BadSetting(f"{path} is empty; remove it and start again.")


SECRET_KEY = _secret_key()

# Tokens of our own are signed with a key of their own, so that one who gets hold of it can forge no cookie.
JWT_SIGNING_KEY = (
    env.secret("JWT_SIGNING_KEY", least=32) or hmac.new(SECRET_KEY.encode(), b"lyceum.jwt", hashlib.sha256).hexdigest()
)
SUPABASE_JWT_SECRET = env.secret("SUPABASE_JWT_SECRET", least=32)
SUPABASE_JWT_AUDIENCE = env.text("SUPABASE_JWT_AUDIENCE", "authenticated")
SUPABASE_JWT_ISSUER = env.url("SUPABASE_JWT_ISSUER", ("http", "https"))
CORS_ALLOWED_ORIGINS = env.origins("CORS_ALLOWED_ORIGINS")


def _package_folder(package: str, inside: str) -> Path:
    spec = find_spec(package)
    assert spec is not None and spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / inside


# Plotly's script comes from the installed package: neither a copy in the repository nor another host.
PACKAGE_STATIC = [("plotly", _package_folder("plotly", "package_data"))]
