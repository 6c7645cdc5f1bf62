# The gateway in one container: OpenResty as the front, the service and its engines behind it, `image-gateway up` over all.
#
#   docker build -t image-gateway .
#   docker run -v PICTURES:/pictures:ro -p 8080:8080 image-gateway
#   docker run -e IMAGE_GATEWAY_STORE__KIND=swift -e ST_AUTH -e ST_USER -e ST_KEY -p 8080:8080 image-gateway

FROM openresty/openresty:1.27.1.2-0-bookworm AS base
WORKDIR /opt/image-gateway
COPY scripts/setup scripts/packages.txt scripts/
RUN scripts/setup --no-nginx --packages-only && rm -rf /var/lib/apt/lists/*

FROM base AS build
COPY . .
RUN PIP_NO_CACHE_DIR=1 scripts/setup --no-nginx --wheel

FROM base
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin gateway \
    && install -d -o gateway -g gateway /pictures /var/cache/image-gateway /var/lib/image-gateway /run/image-gateway
COPY --from=build /opt/image-gateway/.venv /opt/image-gateway/.venv
COPY deploy/docker/config.yaml /etc/image-gateway/config.yaml
ENV PATH=/opt/image-gateway/.venv/bin:$PATH
USER 10001:10001
VOLUME /var/cache/image-gateway /var/lib/image-gateway
EXPOSE 8080 8081
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/health', timeout=2)"]
ENTRYPOINT ["image-gateway"]
CMD ["up", "-c", "/etc/image-gateway/config.yaml"]
