# The runtime image: `rca serve` in Socket Mode, or HTTP mode on 3000 when no app token is set.
# The base is an argument so that a registry mirror or a hardened base can be used instead.
ARG PYTHON_IMAGE=python:3.13-slim-trixie

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python -m venv /opt/rca
COPY requirements.lock ./
# drain3 is published as source only; nothing else may bring a build of its own.
RUN /opt/rca/bin/pip install --require-hashes --only-binary :all: --no-binary drain3 -r requirements.lock
COPY pyproject.toml README.md ./
COPY domain domain
COPY aws aws
COPY reasoning reasoning
COPY specialists specialists
COPY remediation remediation
COPY orchestrator orchestrator
COPY bot bot
COPY manifest.yml ./
RUN python -m pip install "setuptools>=77" && \
    python -m pip install --no-deps --no-build-isolation --target /opt/app .

FROM ${PYTHON_IMAGE}
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/rca rca
COPY --from=build /opt/rca /opt/rca
COPY --from=build /opt/app /opt/app
ENV PATH=/opt/rca/bin:$PATH PYTHONPATH=/opt/app PYTHONUNBUFFERED=1 \
    RCA_DATA_DIR=/var/lib/rca/data RCA_HTTP_HOST=0.0.0.0 RCA_HTTP_PORT=3000
USER 10001
VOLUME /var/lib/rca
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=3s --start-period=15s \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['RCA_HTTP_PORT'] + '/healthz', timeout=2)"]
STOPSIGNAL SIGTERM
CMD ["python", "-m", "bot.cli", "serve"]
