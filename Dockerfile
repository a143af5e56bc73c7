# Build: wheels and a virtual environment; run: that environment and nothing to build with.
FROM python:3.13-slim AS build
WORKDIR /src
RUN python -m venv /opt/goex
COPY pyproject.toml README.md LICENSE ./
COPY goex_proxy goex_proxy
COPY policies policies
COPY reversers reversers
# cel-expr-python's wheel carries its build tree, which no import needs.
RUN /opt/goex/bin/pip install --no-cache-dir --disable-pip-version-check . \
    && rm -rf /opt/goex/lib/python3.13/site-packages/bazel-project

FROM python:3.13-slim
RUN apt-get update && apt-get install -y --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 goex \
    && install -d -o goex -g goex -m 0700 /var/lib/goex
COPY --from=build /opt/goex /opt/goex
ENV PATH=/opt/goex/bin:$PATH GOEX_HOME=/var/lib/goex PYTHONUNBUFFERED=1
USER goex
VOLUME /var/lib/goex
# Within the container the gateway is reached on loopback only, unless goex.yaml lists agents with
# passwords: beyond loopback without them, `serve` refuses to start. Share the network namespace
# (`--network container:NAME`) or declare agents and publish the port.
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["goex-proxy", "status"]
ENTRYPOINT ["goex-proxy"]
CMD ["serve"]
