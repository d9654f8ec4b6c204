import { expect, it } from 'vitest';
import { TOKEN, unitLine } from '../support/http/operator.ts';
import { until } from '../support/http/service.ts';
import { startReceiver } from '../support/notify/receiver.ts';
import { startServer } from '../support/server-process.ts';

const UNITS = 200;
/** The server is killed when so many units have been told. */
const KILLED_AT = [20, 100];

it('no event is lost when the server is killed again and again, and what comes twice has the same id', async () => {
  const receiver = await startReceiver();
  const told = () => new Set(receiver.events().map(({ data }) => data.unit)).size;
  const env = { ...receiver.env, ADMIN_TOKEN: TOKEN, SOURCE_ALLOW: 'https://nowhere.test/*' };
  let server = await startServer(env);
  const store = { STORE: `file:${server.folder}` };
  const units = Array.from({ length: UNITS }, (_, index) =>
    unitLine(`unit-${index}`, 'https://example.com/a.jpg'),
  );
  await fetch(`${server.url}/units`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${TOKEN}` },
    body: units.join(''),
  });
  for (const killedAt of KILLED_AT) {
    await until(() => told() >= killedAt);
    server.program.process.kill('SIGKILL');
    await server.program.ended;
    server = await startServer({ ...env, ...store });
  }
  await until(() => told() === UNITS);
  const ids = new Set(receiver.events().map(({ id }) => id));
  expect(ids.size).toBe(UNITS);
});
