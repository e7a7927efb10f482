# Two stages: the toolchain builds with the Swift runtime linked in, a slim Debian runs the result without a shell being
# needed. Configuration and secrets come as read-only mounts; nothing is written, so the root may be read-only.
#
#   docker build -t countersign .
#   docker run --read-only --cap-drop ALL -v ./countersign.yaml:/etc/countersign/countersign.yaml:ro \
#       -v ./secrets:/etc/countersign/secrets:ro --network host countersign

FROM swift:6.3-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends libssl-dev libyaml-dev libsqlite3-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY Package.swift ./
COPY Sources ./Sources
COPY Tests ./Tests
RUN swift build -c release --product countersign --static-swift-stdlib \
        --explicit-target-dependency-import-check error \
    && strip -o /countersign "$(swift build -c release --show-bin-path)/countersign"

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libssl3 libyaml-0-2 libsqlite3-0 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /countersign /usr/local/bin/countersign
LABEL org.opencontainers.image.title="countersign" \
      org.opencontainers.image.description="A reverse proxy that signs requests to payment APIs" \
      org.opencontainers.image.licenses="Apache-2.0"
USER 65532:65532
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/countersign"]
CMD ["run", "--config", "/etc/countersign/countersign.yaml"]
