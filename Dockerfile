FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG TARGETOS TARGETARCH
ARG VERSION=devel
ENV CGO_ENABLED=0
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags "-s -w -X main.release=$VERSION" -o /out/ ./cmd/catbridge ./examples/webserver

# The demo keeps its files in /tmp, for which scratch has no folder. A folder keeps its mode
# only within another that is copied.
RUN mkdir -p /image/tmp && chmod 1777 /image/tmp

# Nothing but the binary, a folder for temporary files and the certificates by which it trusts the CDN and Redis.
FROM scratch AS base
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /src/LICENSE /src/THIRD_PARTY_NOTICES.txt /
COPY --from=build /image/ /
USER 65532:65532

# A service with a follower in it, for docker-compose.yml.
FROM base AS webserver
COPY --from=build /out/webserver /webserver
EXPOSE 8080
ENTRYPOINT ["/webserver"]

FROM base AS catbridge
ARG VERSION=devel
LABEL org.opencontainers.image.title="catbridge" \
      org.opencontainers.image.description="ConfigCat feature flags for any number of processes, through Redis" \
      org.opencontainers.image.source="https://github.com/catbridge/catbridge" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION"
COPY --from=build /out/catbridge /catbridge
# Of catbridge leader --listen=:8080. Health is asked for there, at /healthz and /readyz:
# there is no shell or client in here to ask by itself.
EXPOSE 8080
ENTRYPOINT ["/catbridge"]
CMD ["--help"]
