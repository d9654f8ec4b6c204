# The server and the command `edgepress`, for one machine or several: docs/self-hosting.md. (The workers on AWS have an image of their own:
# infra/bundle/worker-image/Dockerfile.)
FROM public.ecr.aws/docker/library/node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json ./
COPY src ./src
COPY infra ./infra
COPY scripts ./scripts
RUN npm run -s build

FROM public.ecr.aws/docker/library/node:24-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production
# DNS look-ups, file reads and encodes all run in libuv's threads, of which there are four by default. With more arenas glibc keeps memory
# that many threads allocated and freed.
ENV UV_THREADPOOL_SIZE=64
ENV MALLOC_ARENA_MAX=2
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev && npm cache clean --force
COPY scripts/edgepress.sh ./scripts/edgepress.sh
COPY --from=build /app/dist ./dist
# The folder of the store belongs to the user of the server, and so does a new volume that is mounted there.
RUN ln -s /app/scripts/edgepress.sh /usr/local/bin/edgepress && mkdir /data && chown 1000:1000 /data
# An address that others reach: without SIGNING_KEYS the server does not start.
ENV HOST=0.0.0.0
ENV PORT=3000
ENV STORE=file:/data
EXPOSE 3000
VOLUME /data
# By number, so that Kubernetes can tell that it is not root.
USER 1000:1000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Not npm or a shell, which would not pass SIGTERM on. It finishes what is in flight, for up to 30 seconds.
CMD ["node", "dist/server.mjs"]
