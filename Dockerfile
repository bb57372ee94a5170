# Bases by digest, each for amd64 and arm64. The runtime is Node.js, the libraries it loads and root
# certificates, on Debian 13, without a shell or a package manager. Node.js 26 takes a fifth less memory
# than 24: see the figures in docs/kubernetes.md.
ARG BUILDER=node:26.10.0-trixie-slim@sha256:930557a230abacbc3f4fd9b8648abf8f4bee1e17cb72195dcdfb2f709bc85b33
ARG RUNTIME=gcr.io/distroless/nodejs26-debian13:nonroot@sha256:2ee7b2c54a3e37dfc248af81c9f6bcdcaa50abe4af44aa47a3388431031b9283

FROM ${BUILDER} AS build
WORKDIR /src
COPY package.json package-lock.json ./
# No package's own scripts: the bundler needs none.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY rolldown.config.ts tsconfig.json ./
COPY src src
RUN npm run bundle
COPY LICENSE ./
# A builder may bring it; else it is the one that Debian has today. It loads the C library, as Node.js does.
RUN command -v tini || { apt-get update -q && apt-get install -qy --no-install-recommends tini; }
# There is no env(1) to find Node.js with, so that the first line names it by its path, with the one
# flag that it has room for. Modes do not depend on the umask with which the sources were cloned.
RUN sed -i '1s|.*|#!/nodejs/bin/node --disable-sigusr1|' bundle/main.js \
 && mkdir -p root/usr/local/bin root/usr/local/lib/pgpassd root/usr/local/share/doc/tini \
 && mv bundle package.json LICENSE root/usr/local/lib/pgpassd \
 && cp "$(command -v tini)" root/usr/local/bin/tini \
 && cp /usr/share/doc/tini/copyright root/usr/local/share/doc/tini/copyright \
 && chmod -R u=rwX,go=rX root \
 && chmod 755 root/usr/local/lib/pgpassd/bundle/main.js root/usr/local/bin/tini \
 && ln -s ../lib/pgpassd/bundle/main.js root/usr/local/bin/pgpassd

FROM ${RUNTIME}
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="pgpassd" \
      org.opencontainers.image.description="Keeps a PostgreSQL passfile filled with a fresh Microsoft Entra access token" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /src/root /
# By number, so that runAsNonRoot can tell. Any other user will do: nothing here is anybody's own.
USER 65532:65532
# Not the base's, which is the home of one user and closed to others.
WORKDIR /
# tini is process 1: it passes signals on, ends as pgpassd does, and reaps what a token command leaves
# behind, below another process 1, too (-s). SIGUSR1 does not open Node's debugger. The heap and the C
# library's arenas are bounded, so that whatever floods the probes' port stays within 64 MiB.
ENV MALLOC_ARENA_MAX=1
ENTRYPOINT ["tini", "-s", "--", "/nodejs/bin/node", "--disable-sigusr1", "--max-semi-space-size=1", "--max-old-space-size=32", "/usr/local/bin/pgpassd"]
