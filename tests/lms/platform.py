"""A small LMS of the published packages: it issues tokens and cookies, and checks them, as a stock
Open edX does. ``python -m tests.lms.platform FOLDER`` serves it on a free port, which it prints.

The folder gets ``lms-keys.json``, the public keys of the LMS, before the port is printed.
"""

import json
import sys
from http import HTTPStatus
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

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
        ROOT_URLCONF=__name__,
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


if __name__ == "__main__":
    configure(Path(sys.argv[1]))

# The packages read the settings when they are imported.
from django.contrib.auth import get_user_model, login  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpRequest, JsonResponse  # noqa: E402
from django.middleware.csrf import get_token  # noqa: E402
from django.urls import path  # noqa: E402
from django.views.decorators.csrf import csrf_exempt  # noqa: E402
from edx_rest_framework_extensions.auth.jwt.authentication import JwtAuthentication  # noqa: E402
from edx_rest_framework_extensions.auth.jwt.cookies import (  # noqa: E402
    jwt_cookie_header_payload_name,
    jwt_cookie_signature_name,
)
from edx_rest_framework_extensions.auth.jwt.tests.utils import (  # noqa: E402
    generate_asymmetric_jwt_token,
    generate_jwt_token,
    generate_latest_version_payload,
)
from edx_rest_framework_extensions.auth.session.authentication import (  # noqa: E402
    SessionAuthenticationAllowInactiveUser,
)
from rest_framework.permissions import IsAuthenticated  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402


def make_payload(username: str) -> dict[str, Any]:
    """The claims of a user; whoever is called ``admin`` is global staff."""
    user, _ = get_user_model().objects.get_or_create(
        username=username, defaults={"email": f"{username}@lms.example"}
    )
    is_staff = username == "admin"
    own = {"administrator": is_staff, "superuser": is_staff, "roles": [], "name": username}
    return generate_latest_version_payload(user, scopes=["user_id", "email", "profile"]) | own


@csrf_exempt
def access_token(request: HttpRequest) -> JsonResponse:
    """For a user, whose name is the client's here; signed with the secret unless asked otherwise."""
    payload = make_payload(request.POST["client_id"])
    is_asymmetric = request.POST.get("asymmetric_jwt") == "true"
    make = generate_asymmetric_jwt_token if is_asymmetric else generate_jwt_token
    return JsonResponse({"access_token": make(payload), "expires_in": 600, "token_type": "JWT"})


@csrf_exempt
def log_in(request: HttpRequest) -> JsonResponse:
    """A session, and the token in two cookies."""
    payload = make_payload(request.POST["username"])
    user = get_user_model().objects.get(username=payload["preferred_username"])
    login(request, user)
    head, _, signature = generate_asymmetric_jwt_token(payload).rpartition(".")
    response = JsonResponse({"success": True})
    own = {"domain": ".campus.localhost", "samesite": "Lax"}
    response.set_cookie(jwt_cookie_header_payload_name(), head, **own)
    response.set_cookie(jwt_cookie_signature_name(), signature, httponly=True, **own)
    return response


def csrf_token(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"csrfToken": get_token(request)})


class Me(APIView):
    """What the LMS itself answers to a token."""

    authentication_classes = (JwtAuthentication, SessionAuthenticationAllowInactiveUser)
    permission_classes = (IsAuthenticated,)

    def get(self, request: Any) -> Response:
        return Response({"username": request.user.username})

    put = get


urlpatterns = [
    path("oauth2/access_token", access_token),
    path("login", log_in),
    path("csrf/api/v1/token", csrf_token),
    path("api/me", Me.as_view()),
]


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        if str(args[1]) >= str(int(HTTPStatus.INTERNAL_SERVER_ERROR)):
            super().log_message(format, *args)


if __name__ == "__main__":
    call_command("migrate", "--run-syncdb", verbosity=0)
    with make_server("127.0.0.1", 0, get_wsgi_application(), Server, QuietHandler) as server:
        print(server.server_port, flush=True)
        server.serve_forever()
