import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startOperated } from './operator.ts';

/** A service that may fetch nothing, so that what is sent is refused at once when its turn comes. */
export function startForbidding(env: Record<string, string> = {}) {
  return startOperated({ SOURCE_ALLOW: 'https://nowhere.test/*', ...env });
}

/** The manifests in a folder, by the id of their unit. */
export async function manifestsIn(folder: string): Promise<Record<string, Record<string, unknown>>> {
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('manifest.json'));
  const manifests = await Promise.all(
    files.map(async (file) => JSON.parse(await readFile(join(folder, file), 'utf8'))),
  );
  return Object.fromEntries(manifests.map((manifest) => [manifest.id, manifest]));
}

/** A body in these pieces, which then ends, or breaks. */
export function streamOf(pieces: readonly Uint8Array[], fault?: Error): ReadableStream<Uint8Array> {
  const left = [...pieces];
  return new ReadableStream(
    {
      pull(controller) {
        const piece = left.shift();
        if (piece) controller.enqueue(piece);
        else if (fault) controller.error(fault);
        else controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}
