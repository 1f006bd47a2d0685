"""Tokens that must be refused, by what is wrong with them."""

import json
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .foreign import LATE, NAMES, WRAPPED, WRONGLY_SIGNED
from .forge import (
    EC,
    ED,
    ISSUER,
    KID,
    NOW,
    RSA,
    STRANGER,
    b64,
    claims,
    forge,
    forge_mac,
    header,
    jwk,
    segment,
    unsigned,
)

GOOD = forge()
HEAD, BODY, SIGNATURE = GOOD.split(".")
PEM = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
DER = RSA.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
DEEP = "[" * 3_000 + "]" * 3_000


def text_of(members: dict[str, Any], extra: str) -> str:
    """JSON with one more member at its end, which may repeat a name."""
    return json.dumps(members)[:-1] + f", {extra}}}"


SHAPES = {
    "empty": "",
    "one part": "abc",
    "two parts": f"{HEAD}.{BODY}",
    "only dots": "..",
    "four parts": f"{GOOD}.{SIGNATURE}",
    "five parts, as encrypted": "a.b.c.d.e",
    "newline behind": GOOD + "\n",
    "blank before": " " + GOOD,
    "with the scheme": "Bearer " + GOOD,
    "padded header": f"{HEAD}=.{BODY}.{SIGNATURE}",
    "padded signature": GOOD + "==",
    "NUL behind": GOOD + "\0",
    "not ASCII": GOOD.replace("e", "é", 1),
    "fullwidth letter": "\uff45" + GOOD[1:],
    "lone surrogate": "\ud800" + GOOD,
    "ordinary base64": f"{HEAD}.{BODY}.{'+/' * 171}",
    "too long": forge(body=claims(x="y" * 8_192)),
    "five megabytes": "e" * 5_000_000,
    "header of one letter": f"e.{BODY}.{SIGNATURE}",
    "header is no JSON": forge("nonsense"),
    "header is a list": forge([]),
    "header is a text": forge('"RS256"'),
    "header is null": forge("null"),
    "header in UTF-16": forge(json.dumps(header()).encode("utf-16")),
    "header in UTF-32": forge(json.dumps(header()).encode("utf-32-le")),
    "header with a mark of order": forge(b"\xef\xbb\xbf" + json.dumps(header()).encode()),
    "header too deep": forge(text_of(header(), f'"x": {DEEP}')),
    "header with NaN": forge(text_of(header(), '"x": NaN')),
    "header repeats alg": forge(text_of(header("none"), '"alg": "RS256"')),
    "header repeats kid": forge(text_of(header(kid="other"), '"kid": "rsa-1"')),
    "payload is no JSON": forge(body="nonsense"),
    "payload is empty": forge(body=""),
    "payload is a list": forge(body=[claims()]),
    "payload is null": forge(body="null"),
    "payload is another token": forge(body=GOOD),
    "payload is not UTF-8": forge(body=json.dumps(claims()).encode() + b"\xff"),
    "payload in UTF-16": forge(body=json.dumps(claims()).encode("utf-16")),
    "payload goes on": forge(body=json.dumps(claims()) + "{}"),
    "payload too deep": forge(body=f'{{"x": {DEEP[1_000:-1_000]}}}'),
    "payload with NaN": forge(body=text_of(claims(), '"x": NaN')),
    "payload with Infinity": forge(body=text_of(claims(exp=...), '"exp": Infinity')),
    "payload with a number of 5000 digits": forge(
        body=text_of(claims(exp=...), '"exp": ' + "9" * 5_000)
    ),
    "payload repeats sub": forge(body=text_of(claims(), '"sub": "admin"')),
    "payload repeats sub, escaped": forge(body=text_of(claims(), '"s\\u0075b": "admin"')),
    "payload repeats exp": forge(body=text_of(claims(), f'"exp": {NOW + 900}')),
    "payload repeats inside": forge(body=text_of(claims(), '"x": {"a": 1, "a": 2}')),
}

SIGNATURES = {
    "no signature": f"{HEAD}.{BODY}.",
    "half a signature": GOOD[:-100],
    "other bits at the end": GOOD[:-1] + ("B" if GOOD[-1] != "B" else "C"),
    "signature of zeros": f"{HEAD}.{BODY}.{b64(bytes(256))}",
    "signature of another token": f"{HEAD}.{segment(claims(sub='admin'))}.{SIGNATURE}",
    "another header": f"{segment(header(typ='JWT'))}.{BODY}.{SIGNATURE}",
    "stranger's key": forge(key=STRANGER),
    "stranger's key in the header": forge(header(jwk=jwk(STRANGER, "rsa-1")), key=STRANGER),
    "stranger's key at jku": forge(header(jku="https://evil.example/jwks"), key=STRANGER),
    "stranger's key at x5u": forge(header(x5u="https://evil.example/cert"), key=STRANGER),
    "stranger's key in x5c": forge(header(x5c=["MIIB"], x5t="x"), key=STRANGER),
    "elliptic zeros": f"{segment(header('ES256'))}.{BODY}.{b64(bytes(64))}",
    "elliptic, empty": f"{segment(header('ES256'))}.{BODY}.",
    "Edwards zeros": f"{segment(header('EdDSA'))}.{BODY}.{b64(bytes(64))}",
}

ALGORITHMS = {
    **{f"alg {alg}": unsigned(alg) for alg in ("none", "None", "nOnE", "NONE", "none ", "")},
    "alg none, signed": unsigned("none", SIGNATURE),
    "no alg": forge(header(alg=...)),
    "alg null": forge(header(alg=None)),
    "alg is a list": forge(header(alg=["RS256"])),
    "alg in small letters": forge(header(alg="rs256", kid="rsa-1")),
    "alg with a blank": forge(header(alg="RS256 ", kid="rsa-1")),
    "alg unknown": forge(header(alg="XX999", kid="rsa-1")),
    "alg of encryption": forge(header(alg="RSA-OAEP", kid="rsa-1")),
    "HS256 with the public key as PEM": forge_mac(PEM),
    "HS256 with the public key as PEM, trimmed": forge_mac(PEM.strip()),
    "HS256 with the public key as DER": forge_mac(DER),
    "HS256 with the public key as JSON": forge_mac(json.dumps(jwk(RSA, "rsa-1")).encode()),
    "HS256 with the public elliptic key": forge_mac(
        EC.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint), kid="ec-1"
    ),
    "HS256 with the public Edwards key": forge_mac(ED.public_key().public_bytes_raw(), kid="ed-1"),
    "HS256 with an empty secret": forge_mac(b""),
    "HS256 with an empty kid": forge_mac(b"", kid=""),
    "RS512, not on the list": forge(header("RS512"), alg="RS512", key=RSA),
    "PS256, not on the list": forge(header("PS256"), alg="PS256", key=RSA),
    "RS256 with the name of an elliptic key": forge(header(kid=KID["ES256"])),
    "RS256 with the name of an Edwards key": forge(header(kid=KID["EdDSA"])),
    "ES256 with the name of an RSA key": forge(header("ES256", kid="rsa-1"), alg="ES256"),
    "ES256 with the name of an Edwards key": forge(header("ES256", kid="ed-1"), alg="ES256"),
    "EdDSA with the name of an RSA key": forge(header("EdDSA", kid="rsa-1"), alg="EdDSA"),
    "EdDSA with the name of an elliptic key": forge(header("EdDSA", kid="ec-1"), alg="EdDSA"),
}

_TYPES: list[Any] = [
    *("", "JOSE", "id+jwt", "dpop+jwt", "logout+jwt", "secevent+jwt", "at-jwt", "jwt "),
    *("application/", "application/application/jwt", "text/jwt", None, ["JWT"], True, 1),
]
_CRITICAL: list[Any] = [[], None, ["exp"], ["b64"], "exp", {}, ["unknown"], [1]]
_KIDS: list[Any] = [
    *(None, "", "other", "RSA-1", "../../etc/passwd", "' OR 1=1 --", "k" * 2_000, "\ud800"),
    *(1, True, ["rsa-1"], {"rsa-1": 1}, "rsa-1\0"),
]

HEADERS = {
    **{f"typ {kind!r}": forge(header(typ=kind)) for kind in _TYPES},
    **{f"crit {names!r}": forge(header(crit=names)) for names in _CRITICAL},
    **{f"kid {str(kid)[:20]!r}": forge(header(kid=kid)) for kid in _KIDS},
    "crit of what is understood": forge(header(b64=True, crit=["b64"])),
    "payload outside": forge(header(b64=False)),
    "payload outside, critical": forge(header(b64=False, crit=["b64"]), ""),
}

_TIMES: list[Any] = [..., None, True, False, "soon", str(NOW + 600), [NOW + 600], {}, 10**400, ""]
_ISSUERS: list[Any] = [
    *(..., None, "", ISSUER + "/", ISSUER.upper(), "http" + ISSUER[5:], [ISSUER], {}, 1, True),
    ISSUER + "\0",
]
_AUDIENCES: list[Any] = [
    *(None, "", "other", "Groupsvc", "groupsvc ", "groupsvc/v1", [], ["other"], [None]),
    *(["groupsvc", 1], ["groupsvc", None], [["groupsvc"]], {"groupsvc": 1}, 1, True),
]
_SUBJECTS: list[Any] = [
    *(..., None, "", " ", "anna ", "a\nb", "a\0b", "a\x7fb", "a\u202eb", "a\u2028b", "\ud800"),
    *(
        "a\u200bb",
        "a\u2066b",
        "\ufeffanna",
        "a\x85b",
        "a\tb",
        "a\u00a0",
        "a\u3000b",
        "a\U000e0001b",
    ),
    *("s" * 256, 7, 7.5, True, ["anna"], {"anna": 1}),
]


def varied(name: str, values: list[Any]) -> dict[str, str]:
    return {f"{name} {str(v)[:20]!r}": forge(body=claims(**{name: v})) for v in values}


CLAIMS = {
    **varied("iss", _ISSUERS),
    **varied("aud", _AUDIENCES),
    **varied("sub", _SUBJECTS),
    **varied("exp", _TIMES),
    **varied("iat", _TIMES),
    **varied("nbf", _TIMES[1:]),
    "exp far away": forge(body=claims(exp=10**30)),
    "exp beyond floats": forge(body=text_of(claims(exp=...), '"exp": 1e400')),
    "exp a second too far": forge(body=claims(iat=NOW, exp=NOW + 86_401)),
    "iat and exp both far away": forge(body=claims(iat=NOW + 86_400, exp=NOW + 87_000)),
    "iat beyond the leeway": forge(body=claims(iat=NOW + 31)),
    "iat long ago": forge(body=claims(iat=0)),
    "iat below everything": forge(body=text_of(claims(iat=...), '"iat": -1e400')),
    "nbf beyond the leeway": forge(body=claims(nbf=NOW + 31)),
    "exp before iat": forge(body=claims(iat=NOW + 20, exp=NOW + 10)),
    "exp equal to iat": forge(body=claims(iat=NOW, exp=NOW)),
}

HOSTILE = {
    **SHAPES,
    **SIGNATURES,
    **ALGORITHMS,
    **HEADERS,
    **CLAIMS,
    **WRONGLY_SIGNED,
    **WRAPPED,
    **NAMES,
    **LATE,
}
