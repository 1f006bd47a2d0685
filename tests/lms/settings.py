"""The settings of the stand-in, as a stock LMS has them, with keys of its own."""

import json
from pathlib import Path

import django
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings

ROOT = "http://lms.campus.localhost"


def configure(folder: Path) -> None:
    key = jwt.algorithms.RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 2048), as_dict=True)
    key["kid"] = "lms"  # in the set; tokens do not carry it
    public = {name: key[name] for name in ("kty", "n", "e", "kid")}
    key_set = json.dumps({"keys": [public]})
    (folder / "lms-keys.json").write_text(key_set, encoding="utf-8")
    settings.configure(
        SECRET_KEY="not a secret",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF="tests.lms.views",
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "rest_framework",
            "waffle",
        ],
        MIDDLEWARE=[
            "edx_django_utils.cache.middleware.RequestCacheMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "edx_rest_framework_extensions.auth.jwt.middleware.JwtAuthCookieMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        DATABASES={
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "lms.sqlite"}
        },
        SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
        CSRF_COOKIE_DOMAIN=".campus.localhost",
        SESSION_COOKIE_DOMAIN=".campus.localhost",
        JWT_AUTH={
            "JWT_AUTH_HEADER_PREFIX": "JWT",
            "JWT_ALGORITHM": "HS256",
            "JWT_SIGNING_ALGORITHM": "RS512",
            "JWT_ISSUER": f"{ROOT}/oauth2",
            "JWT_AUDIENCE": "lms-key",
            "JWT_SECRET_KEY": "the secret of the LMS, which it keeps",
            "JWT_ISSUERS": [
                {
                    "ISSUER": f"{ROOT}/oauth2",
                    "AUDIENCE": "lms-key",
                    "SECRET_KEY": "the secret of the LMS, which it keeps",
                }
            ],
            "JWT_PRIVATE_SIGNING_JWK": json.dumps(key),
            "JWT_PUBLIC_SIGNING_JWK_SET": key_set,
            "JWT_AUTH_COOKIE": "edx-jwt-cookie",
            "JWT_DECODE_HANDLER": (
                "edx_rest_framework_extensions.auth.jwt.decoder.jwt_decode_handler"
            ),
        },
    )
    django.setup()
