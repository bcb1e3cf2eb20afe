FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
COPY . .
ARG TARGETOS TARGETARCH
ARG VERSION=devel
ENV CGO_ENABLED=0
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags "-s -w -X github.com/catbridge/catbridge/internal/version.release=$VERSION" -o /out/ ./cmd/catbridge ./examples/webserver

# The demo writes its files to /tmp, which scratch does not have. COPY preserves a folder's
# mode only for folders within the copied one.
RUN mkdir -p /image/tmp && chmod 1777 /image/tmp

# Only the binary, its licences, a folder for temporary files, and the certificates for TLS to the CDN and Redis.
FROM scratch AS base
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /src/LICENSE /src/THIRD_PARTY_NOTICES.txt /
COPY --from=build /image/ /
USER 65532:65532

# A service with a follower, for docker-compose.yml.
FROM base AS webserver
COPY --from=build /out/webserver /webserver
EXPOSE 8080
ENTRYPOINT ["/webserver"]

FROM base AS catbridge
ARG VERSION=devel
LABEL org.opencontainers.image.title="catbridge" \
      org.opencontainers.image.description="Distributes ConfigCat feature flags to many processes through Redis" \
      org.opencontainers.image.source="https://github.com/catbridge/catbridge" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION"
COPY --from=build /out/catbridge /catbridge
# The ports of catbridge leader --listen=:8080 and catbridge serve --listen=:8093. A container that
# listens at neither, such as one that runs catbridge watch, counts as healthy. For another address
# set your own health check, see catbridge health --help.
EXPOSE 8080 8093
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s \
    CMD ["/catbridge", "health", "--if-listening", "--address=127.0.0.1:8080", "--address=127.0.0.1:8093"]
ENTRYPOINT ["/catbridge"]
CMD ["--help"]
