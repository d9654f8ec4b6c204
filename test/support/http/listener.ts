import { onTestFinished } from 'vitest';
import type { ConnectionLimits } from '../../../src/http/connections.ts';
import { listen } from '../../../src/http/listen.ts';
import { startHeldOrigin, startService } from './service.ts';

/** A whole service that listens, with the admin token `x`, and an origin that holds its answers. */
export async function startListener(limits: Partial<ConnectionLimits> = {}) {
  const held = await startHeldOrigin();
  const service = await startService({
    ADMIN_TOKEN: 'operators',
    SOURCE_ALLOW_PRIVATE: held.origin.authority,
  });
  const { app, handleImage } = service;
  const listener = await listen(app, { host: '127.0.0.1', port: 0, handleImage, limits });
  onTestFinished(() => listener.close(0));
  return { ...held, service, url: listener.url, port: listener.port };
}
