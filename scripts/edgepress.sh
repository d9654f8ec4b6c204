#!/bin/sh
# The command `edgepress`: of the package, which is bundled, or of a checkout, which runs TypeScript.
set -e
root=$(dirname "$(dirname "$(readlink -f "$0")")")
# Both are read when a process starts: how many sources and files are waited for at once, and memory pools that give back what is freed.
export UV_THREADPOOL_SIZE="${UV_THREADPOOL_SIZE:-64}" MALLOC_ARENA_MAX="${MALLOC_ARENA_MAX:-2}"
# It says which version of Node a later version of the SDK needs. The version of this package is pinned.
export AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED=true
if [ -f "$root/dist/edgepress.mjs" ] && [ ! -d "$root/src" ]; then
  exec node "$root/dist/edgepress.mjs" "$@"
fi
exec node --import "file://$root/node_modules/tsx/dist/loader.mjs" "$root/scripts/edgepress.ts" "$@"
