import { once } from 'node:events';
import { pino } from 'pino';
import { readConfig } from '../../../src/config.ts';
import { createService } from '../../../src/http/service.ts';
import { createFileStore } from '../../../src/store/file-store.ts';

// A process that makes a variant, prints `putting` before it puts it, waits for a line of input, and dies after the put, before it checks the
// tombstone.

const config = readConfig();
if (config.store.kind !== 'file') throw new Error('STORE must be a folder');
const store = createFileStore({ root: config.store.root });
const { app } = await createService(
  config,
  pino({ level: 'silent' }),
  {},
  {
    store: {
      ...store,
      async put(...args) {
        process.stdout.write('putting\n');
        await once(process.stdin, 'data');
        await store.put(...args);
        process.kill(process.pid, 'SIGKILL');
        return await new Promise<never>(() => {});
      },
    },
  },
);
await app.request('/', {}, { incoming: { url: process.argv[2] } });
