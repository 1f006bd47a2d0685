"""Settings of the Django contender: what edx-platform has in the way of every request."""

import os
from typing import Any

from sqlalchemy import make_url

SECRET_KEY = "of-no-use"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "benchmarks.contenders.edx.views"
USE_TZ = True
LOGGING_CONFIG = None  # errors go to the log of the server
INSTALLED_APPS = [
    *(f"django.contrib.{name}" for name in ("contenttypes", "auth", "sessions")),
    "benchmarks.contenders.edx",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
}
DATA_UPLOAD_MAX_MEMORY_SIZE = None

_url = make_url(os.environ["BENCHMARK_URL"])
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _url.database,
        "USER": _url.username,
        "HOST": _url.query["host"],
        "PORT": _url.query["port"],
        "CONN_MAX_AGE": None,
        "OPTIONS": {"options": "-c search_path=edx,public -c timezone=UTC"},
    }
}
