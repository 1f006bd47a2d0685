# Any Debian image with Python 3.11 or newer. Named by its digest, it gives the same bytes every time.
ARG BASE=python:3.13-slim-bookworm

FROM ${BASE} AS build
# With traces: -otel
ARG VARIANT=
# Passed on to pip: a mirror, or a folder of wheels.
ARG PIP_INDEX_URL
ARG PIP_NO_INDEX
ARG PIP_FIND_LINKS
WORKDIR /src
# The tools stay in an environment of their own.
RUN python3 -m venv /tools && python3 -m venv --without-pip /opt/groupsvc
COPY requirements-build.txt requirements${VARIANT}.txt ./
RUN /tools/bin/pip install --no-cache-dir --require-hashes -r requirements-build.txt \
    && /tools/bin/pip --python /opt/groupsvc/bin/python install --no-cache-dir --no-compile \
        --require-hashes -r requirements${VARIANT}.txt
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
COPY alembic ./alembic
RUN PATH=/tools/bin:$PATH pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheel . \
    && /tools/bin/pip --python /opt/groupsvc/bin/python install --no-cache-dir --no-compile \
        --no-index --no-deps /wheel/*.whl
# Nothing can be compiled at run time. Files of hashes and not of times are the same in every build.
RUN /opt/groupsvc/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/groupsvc/lib
ARG VERSION=0.2.0
RUN test "$(/opt/groupsvc/bin/groupsvc --version)" = "${VERSION}"
COPY deploy/sbom${VARIANT}.cdx.json /opt/groupsvc/share/sbom.cdx.json

FROM ${BASE}
# Seconds since 1970, for the dates that files and accounts would have.
ARG SOURCE_DATE_EPOCH=0
# What was logged and cached on the way has dates.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends tini \
    && groupadd --gid 10001 groupsvc \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin groupsvc \
    && find / -xdev -type f -perm /6000 -exec chmod a-s {} + \
    && rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/* /etc/*-
COPY --from=build /opt/groupsvc /opt/groupsvc
ENV PATH=/opt/groupsvc/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    GROUPSVC_ENV=production \
    GROUPSVC_METRICS_ADDRESS=0.0.0.0:9464
ARG VERSION=0.2.0
LABEL org.opencontainers.image.title="groupsvc" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.licenses="Apache-2.0"
USER 10001:10001
EXPOSE 8000 9464
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
    CMD ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/live', timeout=2)"]
ENTRYPOINT ["tini", "--", "groupsvc"]
CMD ["serve", "--host", "0.0.0.0", "--workers", "2"]
