"""A small LMS of the published packages: it issues tokens and cookies, and checks them, as a stock
Open edX does. ``python -m tests.lms FOLDER`` serves it on a free port, which it prints.

The folder gets ``lms-keys.json``, the public keys of the LMS, before the port is printed.
"""

import sys
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

from tests.lms.settings import configure


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class QuietHandler(WSGIRequestHandler):
    def log_request(self, *_: Any) -> None:
        """Only errors are worth a line."""


configure(Path(sys.argv[1]))
call_command("migrate", "--run-syncdb", verbosity=0)
with make_server("127.0.0.1", 0, get_wsgi_application(), Server, QuietHandler) as server:
    print(server.server_port, flush=True)  # noqa: T201
    server.serve_forever()
