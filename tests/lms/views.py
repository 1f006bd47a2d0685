"""What the stand-in answers. The packages read the settings when they are imported."""

from typing import Any

from django.contrib.auth import get_user_model, login
from django.http import HttpRequest, JsonResponse
from django.middleware.csrf import get_token
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from edx_rest_framework_extensions.auth.jwt.authentication import JwtAuthentication
from edx_rest_framework_extensions.auth.jwt.cookies import (
    jwt_cookie_header_payload_name,
    jwt_cookie_signature_name,
)
from edx_rest_framework_extensions.auth.jwt.tests.utils import (
    generate_asymmetric_jwt_token,
    generate_jwt_token,
    generate_latest_version_payload,
)
from edx_rest_framework_extensions.auth.session.authentication import (
    SessionAuthenticationAllowInactiveUser,
)
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView


def make_payload(username: str) -> dict[str, Any]:
    """The claims of a user; whoever is called ``admin`` is global staff."""
    user, _ = get_user_model().objects.get_or_create(
        username=username, defaults={"email": f"{username}@lms.example"}
    )
    is_staff = username == "admin"
    own = {
        "sub": f"anonymous id of {username}",
        "administrator": is_staff,
        "superuser": is_staff,
        "roles": [],
        "name": username,
    }
    return generate_latest_version_payload(user, scopes=["user_id", "email", "profile"]) | own


@csrf_exempt
def access_token(request: HttpRequest) -> JsonResponse:
    """For the user of that name; signed with the secret of the LMS unless asked otherwise."""
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
    """What micro-frontends ask for first, from their own origin."""
    response = JsonResponse({"csrfToken": get_token(request)})
    response["Access-Control-Allow-Origin"] = request.headers.get("Origin", "")
    response["Access-Control-Allow-Credentials"] = "true"
    return response


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
