# The image of every role: `operator`, `api` and `migrate` are arguments of its entry point.
#
# `npm run image` makes what is Coregit's own, here as in the tests, which run the result. This file adds what a distribution
# gives: git with its security updates, and an init that reaps what killed gits leave behind. Bases are pinned by full version.
# Probes of the roles that serve: `/livez` and `/readyz` on port 8080, which is what a cluster asks; the health check below is
# for engines without probes. Writable at run time: /var/cache/coregit and /tmp; everything else may be mounted read-only.

FROM node:24.21.0-trixie-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run image -- /opt/coregit

FROM debian:13.2-slim
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="coregit" \
      org.opencontainers.image.description="Stores git repositories and keeps them in step with other git servers." \
      org.opencontainers.image.source="https://coregit.dev" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
# Debian 13 has git 2.47, and its security updates come with the next build.
RUN apt-get update \
    && apt-get upgrade --yes \
    && apt-get install --yes --no-install-recommends git tini \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/* \
    && install --directory --owner=10001 --group=10001 --mode=0700 /var/cache/coregit
COPY --from=build --chown=0:0 /opt/coregit /opt/coregit
ENV NODE_ENV=production \
    PATH=/opt/coregit/bin:/usr/bin:/bin \
    COREGIT_DATA_DIR=/var/cache/coregit
WORKDIR /var/cache/coregit
USER 10001:10001
EXPOSE 8080
VOLUME ["/var/cache/coregit"]
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["node", "--eval", "fetch('http://127.0.0.1:' + (process.env.COREGIT_LISTEN ?? ':8080').split(':').at(-1) + '/livez').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["/usr/bin/tini", "--", "/opt/coregit/bin/coregit"]
