"""Requests byte by byte, each with the answers that are right on both parsers.

``statuses`` are those of the answers in order, and ``paths`` the requests that the application sees
whole. Behind the request that a case is about stands often a second one: it counts if it really is
a second one, and is never part of the first.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

HOST: Final = b"Host: a\r\n"
SECOND: Final = b"GET /second HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
LEAVE: Final = b"Connection: close\r\n"


@dataclass(frozen=True, slots=True)
class Answers:
    statuses: tuple[int, ...] = ()
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """``or_else`` are answers that are right as well: parsers may differ in what is harmless."""

    data: bytes
    answers: Answers
    or_else: tuple[Answers, ...] = ()

    @property
    def all_answers(self) -> tuple[Answers, ...]:
        return (self.answers, *self.or_else)

    def allows(self, found: Answers) -> bool:
        return found in self.all_answers


REFUSED: Final = Answers((400,))
SILENT: Final = Answers()
SERVED: Final = Answers((200,), ("/",))
BOTH: Final = Answers((200, 200), ("/", "/second"))
# The first request was begun, and given up when its body went wrong.
TOO_LATE: Final = (REFUSED, SILENT)


def request(line: bytes = b"GET / HTTP/1.1", headers: bytes = HOST, body: bytes = b"") -> bytes:
    return line + b"\r\n" + headers + b"\r\n" + body


def post(headers: bytes, body: bytes) -> bytes:
    return request(b"POST / HTTP/1.1", HOST + headers, body)


def refused(
    cases: Mapping[str, bytes], *or_else: Answers, answers: Answers = REFUSED
) -> Iterator[tuple[str, Case]]:
    for name, data in cases.items():
        yield name, Case(data, answers, or_else)


def _lines() -> Iterator[tuple[str, Case]]:
    yield from refused(
        {
            name: request(line, HOST + LEAVE)
            for name, line in {
                "no version": b"GET /",
                "version 0.9": b"GET / HTTP/0.9",
                "version 2.0": b"GET / HTTP/2.0",
                "version of two digits": b"GET / HTTP/11",
                "protocol in small letters": b"GET / http/1.1",
                "tab": b"GET\t/ HTTP/1.1",
                "blank in the target": b"GET /a b HTTP/1.1",
                "blank before": b" GET / HTTP/1.1",
                "blank behind": b"GET / HTTP/1.1 ",
                "NUL in the target": b"GET /\0 HTTP/1.1",
                "UTF-8 in the target": b"GET /\xc3\xa9 HTTP/1.1",
                "no UTF-8 in the target": b"GET /\xff HTTP/1.1",
                "no method": b" / HTTP/1.1",
                "method with a bracket": b"G(T / HTTP/1.1",
                "no target": b"GET HTTP/1.1",
                "absolute target": b"GET http://a/ HTTP/1.1",
                "absolute target of another host": b"GET http://b/x HTTP/1.1",
                "target with a user": b"GET http://u:p@a/ HTTP/1.1",
                "target is an authority": b"CONNECT a:80 HTTP/1.1",
                "target is an asterisk": b"OPTIONS * HTTP/1.1",
                "relative target": b"GET v1 HTTP/1.1",
                "query alone": b"GET ?x HTTP/1.1",
                "fragment": b"GET /a#b HTTP/1.1",
                "fragment in a query": b"GET /a?b#c HTTP/1.1",
                "preface of HTTP/2": b"PRI * HTTP/2.0",
            }.items()
        }
    )
    for name, line, *others in (
        ("unknown minor version", b"GET / HTTP/1.2", SERVED),
        ("method in small letters", b"get / HTTP/1.1", SERVED),
        ("method that nobody knows", b"FOO / HTTP/1.1", SERVED),
        ("two blanks", b"GET  / HTTP/1.1", SERVED),
        (
            "target of 70,000 bytes",
            b"GET /" + b"a" * 70_000 + b" HTTP/1.1",
            Answers((414,)),
            SILENT,
        ),
    ):
        yield name, Case(request(line, HOST + LEAVE), REFUSED, tuple(others))
    yield (
        "target of 3,000 bytes",
        Case(request(b"GET /" + b"a" * 3_000 + b" HTTP/1.1", HOST + LEAVE), Answers((414,))),
    )
    for path in (
        *("//a/b", "/a/../b", "/a/%2e%2e/b", "/a/..%2f..%2fb", "/a%zz", "/a%", "/a%00b", "/a%2Fb"),
        *("/a%c0%ae", "/a\\b", "/a;b=c", "/%", "/a%0d%0aX:%20y", "/a%25%32%65", "/%u0061", "/a%ff"),
    ):
        line = f"GET {path} HTTP/1.1".encode()
        yield f"path {path}", Case(request(line, HOST + LEAVE), Answers((200,), (path,)))


def _heads() -> Iterator[tuple[str, Case]]:
    yield from refused(
        {
            "lines end in LF": b"GET / HTTP/1.1\nHost: a\nConnection: close\n\n",
            "one line ends in LF": b"GET / HTTP/1.1\r\nHost: a\nConnection: close\r\n\r\n",
            "the last line ends in LF": b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\n",
            "a hello of TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(40),
            "nothing but NUL": bytes(100),
            "another protocol before": b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n" + request(),
            **{
                f"Host {name}": request(headers=headers + LEAVE)
                for name, headers in {
                    "missing": b"",
                    "twice": HOST + HOST,
                    "of two": HOST + b"Host: b\r\n",
                    "twice in two cases": b"host: a\r\nHOST: a\r\n",
                    "empty": b"Host: \r\n",
                    "with a blank": b"Host: a b\r\n",
                    "with a user": b"Host: u@a\r\n",
                    "with a path": b"Host: a/b\r\n",
                    "with a port that is none": b"Host: a:b\r\n",
                    "with a comma": b"Host: a,b\r\n",
                    "goes on in the next line": b"Host: a\r\n b\r\n",
                }.items()
            },
            **{
                f"header {name}": request(headers=HOST + LEAVE + headers)
                for name, headers in {
                    "with a blank before its colon": b"X : a\r\n",
                    "with a tab before its colon": b"X\t: a\r\n",
                    "without a colon": b"X\r\n",
                    "without a name": b": a\r\n",
                    "with NUL": b"X: a\0b\r\n",
                    "with CR": b"X: a\rb\r\n",
                    "with LF": b"X: a\nY: b\r\n",
                    "with a bell": b"X: \x07\r\n",
                    "with DEL": b"X: \x7f\r\n",
                    "with a vertical tab": b"X: a\x0bb\r\n",
                    "with NUL in its name": b"X\0: a\r\n",
                    "with UTF-8 in its name": b"X\xc3\xa9: a\r\n",
                    "with a bracket in its name": b"X(y): a\r\n",
                    "that goes on in the next line": b"X: a\r\n b\r\n",
                    "that goes on after a tab": b"X: a\r\n\tb\r\n",
                }.items()
            },
            "header before all others that goes on": request(headers=b" X: a\r\n" + HOST + LEAVE),
        }
    )
    yield "lines end in CR", Case(b"GET / HTTP/1.1\rHost: a\r\r", REFUSED, (SILENT,))
    yield "noise", Case(bytes(range(128, 256)) * 4, REFUSED, (SILENT,))
    yield (
        "empty lines before",
        Case(b"\r\n\r\n" + request(headers=HOST + LEAVE), SERVED, (REFUSED,)),
    )
    yield "nothing but empty lines", Case(b"\r\n" * 500, SILENT, (REFUSED,))
    yield "header in Latin-1", Case(request(headers=HOST + LEAVE + b"X: \xe9\r\n"), SERVED)
    for name, headers in {
        "101 headers": b"".join(b"X%d: a\r\n" % number for number in range(101)),
        "header of 40,000 bytes": b"X: " + b"a" * 40_000 + b"\r\n",
    }.items():
        yield name, Case(request(headers=HOST + LEAVE + headers), Answers((431,)))
    endless = request(headers=HOST + b"X: " + b"a" * 200_000)
    yield "endless header", Case(endless, Answers((431,)), (SILENT, REFUSED))


def _lengths() -> Iterator[tuple[str, Case]]:
    yield from refused(
        {
            f"Content-Length {name}": post(b"Content-Length" + rest, b"abc" + SECOND)
            for name, rest in {
                "twice, equal": b": 3\r\nContent-Length: 3\r\n",
                "twice, different": b": 3\r\nContent-Length: 4\r\n",
                "twice in two cases": b": 3\r\nCONTENT-LENGTH: 3\r\n",
                "as a list of equal ones": b": 3, 3\r\n",
                "as a list of different ones": b": 3, 4\r\n",
                "with a plus": b": +3\r\n",
                "below zero": b": -3\r\n",
                "in hexadecimal": b": 0x3\r\n",
                "with an underscore": b": 0_3\r\n",
                "with a point": b": 3.0\r\n",
                "empty": b": \r\n",
                "of two numbers": b": 3 3\r\n",
                "in other digits": b": \xd9\xa3\r\n",
                "with a blank before its colon": b" : 3\r\n",
                "in the next line": b":\r\n 3\r\n",
            }.items()
        }
    )
    for name, told in (("of twenty digits", b"9" * 20), ("around 2^64", b"18446744073709551619")):
        data = post(b"Content-Length: " + told + b"\r\n", b"abc")
        # The bytes that follow stay unread, so that the end of the connection may overtake.
        yield f"Content-Length {name}", Case(data, REFUSED, (Answers((413,)),))
    zeros = post(b"Content-Length: 0003\r\n", b"abc" + SECOND)
    yield "Content-Length with zeros before", Case(zeros, BOTH)
    yield "Content-Length of nothing", Case(post(b"Content-Length: 0\r\n", SECOND), BOTH)
    yield "a body that nobody tells of", Case(request(b"POST / HTTP/1.1", body=SECOND), BOTH)
    yield (
        "GET with a body",
        Case(request(headers=HOST + b"Content-Length: 3\r\n", body=b"abc" + SECOND), BOTH),
    )


def _codings() -> Iterator[tuple[str, Case]]:
    empty = b"0\r\n\r\n" + SECOND
    yield from refused(
        {
            f"Transfer-Encoding {name}": post(headers, empty)
            for name, headers in {
                "behind Content-Length": b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
                "before Content-Length": b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
                "identity": b"Transfer-Encoding: identity\r\n",
                "gzip after chunked": b"Transfer-Encoding: chunked, gzip\r\n",
                "xchunked": b"Transfer-Encoding: xchunked\r\n",
                "twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                "chunked, chunked": b"Transfer-Encoding: chunked, chunked\r\n",
                "identity and chunked": (
                    b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n"
                ),
                "behind a vertical tab": b"Transfer-Encoding: \x0bchunked\r\n",
                "in quotes": b'Transfer-Encoding: "chunked"\r\n',
                "with a blank before its colon": b"Transfer-Encoding : chunked\r\n",
                "in the next line": b"Transfer-Encoding:\r\n chunked\r\n",
                "empty": b"Transfer-Encoding: \r\n",
                "after LF": b"X: y\nTransfer-Encoding: chunked\r\n",
            }.items()
        }
    )
    # Chunked at its end, so that the second request is one; but compressed bodies are not taken.
    compressed = (Answers((415, 200), ("/second",)),)
    for name, value in (("gzip, chunked", b"gzip, chunked"), ("empty, chunked", b",chunked")):
        data = post(b"Transfer-Encoding: " + value + b"\r\n", empty)
        yield f"Transfer-Encoding {name}", Case(data, REFUSED, compressed)
    upper = post(b"Transfer-Encoding: CHUNKED\r\n", empty)
    yield "Transfer-Encoding in capitals", Case(upper, BOTH)
    tab = post(b"Transfer-Encoding: chunked\t\r\n", empty)
    yield "Transfer-Encoding before a tab", Case(tab, BOTH, TOO_LATE)
    # The body is what begins the next request, which is none.
    score = post(b"Transfer_Encoding: chunked\r\n", empty)
    yield "Transfer_Encoding", Case(score, Answers((400,), ("/",)), (Answers((200, 400), ("/",)),))
    old = request(b"POST / HTTP/1.0", HOST + b"Transfer-Encoding: chunked\r\n", empty)
    yield "Transfer-Encoding in HTTP/1.0", Case(old, SERVED, (REFUSED,))


def _chunks() -> Iterator[tuple[str, Case]]:
    def chunked(body: bytes) -> bytes:
        return post(b"Transfer-Encoding: chunked\r\n", body + SECOND)

    good = {
        "": b"3\r\nabc\r\n0\r\n\r\n",
        "with an extension": b"3;a=b\r\nabc\r\n0\r\n\r\n",
        "with a trailer": b"3\r\nabc\r\n0\r\nX: y\r\n\r\n",
        "with a size of many zeros at the end": b"3\r\nabc\r\n000\r\n\r\n",
    }
    for name, body in good.items():
        yield f"chunks {name}", Case(chunked(body), BOTH)
    bad = {
        "after LF": b"3\nabc\n0\n\n",
        "whose size ends in LF": b"3\nabc\r\n0\r\n\r\n",
        "whose size has 0x": b"0x3\r\nabc\r\n0\r\n\r\n",
        "whose size has a plus": b"+3\r\nabc\r\n0\r\n\r\n",
        "whose size is below zero": b"-3\r\nabc\r\n0\r\n\r\n",
        "whose size begins with a blank": b" 3\r\nabc\r\n0\r\n\r\n",
        "whose size has an underscore": b"1_0\r\n" + b"a" * 16 + b"\r\n0\r\n\r\n",
        "whose size is empty": b"\r\nabc\r\n",
        "whose size is none": b"zz\r\nabc\r\n",
        "whose size is beyond 2^64": b"10000000000000003\r\nabc\r\n0\r\n\r\n",
        "longer than their size": b"3\r\nabcd\r\n0\r\n\r\n",
        "that end in CR CR LF": b"3\r\nabc\r\r\n0\r\n\r\n",
        "with a trailer without a colon": b"3\r\nabc\r\n0\r\nX\r\n\r\n",
    }
    for name, body in bad.items():
        yield f"chunks {name}", Case(chunked(body), REFUSED, TOO_LATE)
    # What follows is a second request under either reading.
    either = {
        "whose size ends in a blank": b"3 \r\nabc\r\n0\r\n\r\n",
        "whose size has 5,000 zeros": b"0" * 5_000 + b"3\r\nabc\r\n0\r\n\r\n",
        "whose end is LF": b"3\r\nabc\r\n0\r\n\n",
        "with a trailer that tells a length": b"3\r\nabc\r\n0\r\nContent-Length: 50\r\n\r\n",
    }
    for name, body in either.items():
        yield f"chunks {name}", Case(chunked(body), BOTH, TOO_LATE)
    never = post(b"Transfer-Encoding: chunked\r\n", b"3\r\nab")
    yield "chunks that never end", Case(never, SILENT, TOO_LATE)
    endless = post(
        b"Transfer-Encoding: chunked\r\n", b"0\r\n" + (b"X: " + b"a" * 1_000 + b"\r\n") * 300
    )
    yield "chunks with an endless trailer", Case(endless, SILENT, TOO_LATE)


def _connections() -> Iterator[tuple[str, Case]]:
    yield "two requests at once", Case(request() + SECOND, BOTH)
    yield "nothing after the last one", Case(request(headers=HOST + LEAVE) + SECOND, SERVED)
    yield (
        "HTTP/1.0 keeps no connection",
        Case(request(b"GET / HTTP/1.0", HOST + b"Connection: keep-alive\r\n") + SECOND, SERVED),
    )
    yield (
        "noise after a request",
        Case(request() + b"BAD\r\n\r\n", Answers((200, 400), ("/",)), (Answers((400,), ("/",)),)),
    )
    wait = b"Expect: 100-continue\r\nContent-Length: 3\r\n"
    yield "Expect", Case(post(wait + LEAVE, b"abc"), Answers((100, 200), ("/",)))
    yield "Expect, and no body", Case(post(wait, b""), Answers((100,)))
    yield (
        "Expect of something else",
        Case(post(b"Expect: 200-maybe\r\nContent-Length: 3\r\n", b"abc" + SECOND), BOTH),
    )
    # Those who offer another protocol go on in this one, with their bodies.
    for name, offer in (
        ("HTTP/2", b"Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk"),
        ("WebSocket", b"upgrade\r\nupgrade: websocket\r\nSec-WebSocket-Version: 13"),
        ("something", b"Upgrade\r\nUPGRADE: x"),
    ):
        data = post(b"Connection: " + offer + b"\r\nContent-Length: 3\r\n", b"abc" + SECOND)
        yield f"offer of {name}", Case(data, BOTH)
    odd = post(b"Connection: upgrade\r\nuPgRaDe: x\r\nContent-Length: 3\r\n", b"abc" + SECOND)
    yield "offer in odd letters", Case(odd, REFUSED, (BOTH,))
    yield "a body that is cut off", Case(post(b"Content-Length: 9\r\n", b"abc"), SILENT)
    yield "a head that is cut off", Case(b"GET / HTTP/1.1\r\nHost: a", SILENT)
    yield "nothing at all", Case(b"", SILENT)


def _all() -> Iterable[tuple[str, Case]]:
    for each in (_lines, _heads, _lengths, _codings, _chunks, _connections):
        yield from each()


CASES: Final = dict(_all())
