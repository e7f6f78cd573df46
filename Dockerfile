# A static binary (musl) on Alpine.
#
#   docker build -t holdfast .
#   docker run -p 8000:8000 -v holdfast:/app/data holdfast

FROM rust:1.95.0-alpine AS build
RUN apk add --no-cache build-base
WORKDIR /src
COPY rust-toolchain.toml Cargo.toml Cargo.lock ./
COPY .cargo .cargo
COPY wit wit
COPY domain-component domain-component
COPY host host
# Cargo needs the files of the test targets that the manifests name.
COPY tests tests
RUN rustup target add wasm32-wasip2 \
    && cargo build --profile dist --locked \
    && cp target/dist/holdfast /holdfast

FROM alpine:3.22
RUN addgroup -S -g 10001 holdfast \
    && adduser -S -D -H -u 10001 -G holdfast holdfast \
    && mkdir -p /app/data \
    && chown holdfast:holdfast /app/data
COPY --from=build /holdfast /usr/local/bin/holdfast
USER holdfast
WORKDIR /app
ENV HOST=0.0.0.0 PORT=8000 DATABASE_PATH=/app/data/inventory.db
VOLUME /app/data
EXPOSE 8000
# wget is part of busybox.
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s \
    CMD wget -q -O /dev/null "http://127.0.0.1:${PORT}/health/ready" || exit 1
ENTRYPOINT ["holdfast"]
CMD ["serve"]
