# syntax=docker/dockerfile:1
# Three images of one build: `countersign` (the default), and `sandbox` for conf/compose. The toolchain builds with the
# Swift runtime linked in; a slim Debian with the five C libraries runs the result, without a shell being needed.
# Configuration and secrets come as read-only mounts. Nothing is written but the store and the sockets, so that the root
# may be read-only. scripts/check-image carries these steps out without Docker.
#
#   docker build -t countersign .
#   docker run --read-only --cap-drop ALL --security-opt no-new-privileges \
#       -v ./countersign.yaml:/etc/countersign/countersign.yaml:ro -v ./secrets:/run/secrets:ro \
#       -v countersign-store:/var/lib/countersign --network host countersign
#
# The user is 65532. Secrets belong to it or to root, and nobody else may read them: chown 65532, chmod 0400. Where
# a mount has the group's bits (Kubernetes), name secrets as credential:NAME: /run/secrets is where they are looked for.

FROM swift:6.3-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends libssl-dev libyaml-dev libsqlite3-dev zlib1g-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY Package.swift ./
COPY Sources ./Sources
COPY Tests ./Tests
COPY loadtest/generator ./loadtest/generator
COPY scripts/lib.sh ./scripts/lib.sh
COPY Benchmarks/countersign.profdata ./Benchmarks/countersign.profdata
RUN bash -c '. scripts/lib.sh && build_product release countersign && build_product release ingo-sandbox'
RUN mkdir -p /out /empty \
    && for name in countersign ingo-sandbox; do \
        strip -o "/out/$name" "$(swift build -c release --show-bin-path)/$name"; done

FROM debian:bookworm-slim AS base
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates libssl3 libyaml-0-2 libsqlite3-0 zlib1g libstdc++6 \
    && rm -rf /var/lib/apt/lists/*
USER 65532:65532
STOPSIGNAL SIGTERM

FROM base AS sandbox
COPY --from=build /out/ingo-sandbox /usr/local/bin/ingo-sandbox
COPY --from=build --chown=65532:65532 /empty /var/lib/ingo-sandbox
LABEL org.opencontainers.image.title="ingo-sandbox" \
      org.opencontainers.image.description="A stand-in for Ingo's payment APIs that verifies signatures" \
      org.opencontainers.image.licenses="Apache-2.0"
HEALTHCHECK --interval=5s --timeout=3s --start-period=2s CMD ["/usr/bin/test", "-s", "/var/lib/ingo-sandbox/ca.pem"]
ENTRYPOINT ["/usr/local/bin/ingo-sandbox"]
CMD ["--port", "9443", "--state-dir", "/var/lib/ingo-sandbox", "--print", "line"]

FROM base AS countersign
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=unknown
ARG SOURCE=unknown
COPY --from=build /out/countersign /usr/local/bin/countersign
COPY --from=build --chown=65532:65532 /empty /var/lib/countersign
COPY --from=build --chown=65532:65532 /empty /run/countersign
LABEL org.opencontainers.image.title="countersign" \
      org.opencontainers.image.description="A reverse proxy that signs requests to payment APIs" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED" \
      org.opencontainers.image.source="$SOURCE"
ENV COUNTERSIGN_CONFIG=/etc/countersign/countersign.yaml \
    CREDENTIALS_DIRECTORY=/run/secrets
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["/usr/local/bin/countersign", "health"]
ENTRYPOINT ["/usr/local/bin/countersign"]
CMD ["run"]
