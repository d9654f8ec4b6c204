// Started as a process of its own: requests URLs in turn, slowly, each on a connection that stays open, and prints the time of each request
// when it is told to end. A client in the process that makes the load would measure itself.
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'undici';

const INTERVAL_MS = 10;
const targets = process.argv.slice(2).map((url) => {
  const { origin, pathname, search } = new URL(url);
  return { client: new Client(origin), path: pathname + search, ms: [] as number[], failures: 0 };
});
let isEnding = false;
process.once('SIGTERM', () => {
  isEnding = true;
});
while (!isEnding) {
  for (const target of targets) {
    const start = performance.now();
    try {
      const { statusCode, body } = await target.client.request({ path: target.path, method: 'GET' });
      await body.arrayBuffer();
      if (statusCode === 200) target.ms.push(performance.now() - start);
      else target.failures++;
    } catch {
      target.failures++;
    }
  }
  await sleep(INTERVAL_MS);
}
process.stdout.write(JSON.stringify(targets.map(({ ms, failures }) => ({ ms, failures }))), () =>
  process.exit(),
);
