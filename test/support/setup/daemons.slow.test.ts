import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createDaemons } from './daemons.ts';

describe('daemons', () => {
  it('are killed and their folder is removed after their owner was killed', async () => {
    const owner = spawnOwner();
    const [folder] = (await once(owner.stdout ?? owner, 'data')).map(String) as [string];
    await expect.poll(() => existsSync(join(folder, 'pid')), { timeout: 10_000 }).toBe(true);
    const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'));
    expect(isRunning(pid)).toBe(true);

    owner.kill('SIGKILL');
    await expect.poll(() => isRunning(pid), { timeout: 10_000 }).toBe(false);
    await expect.poll(() => existsSync(folder), { timeout: 10_000 }).toBe(false);
  });

  it('make every program that runs beside them fail when one of them ends', async () => {
    const daemons = await createDaemons('edgepress-daemons');
    daemons.start('sh', ['-c', 'echo no luck; exit 3']);
    await expect(daemons.run('sleep', ['60'], 60_000)).rejects.toThrow('sh ended: 3');
    expect(await daemons.output()).toContain('no luck');
    await daemons.stop();
    expect(existsSync(daemons.folder)).toBe(false);
  });
});

function spawnOwner(): ChildProcess {
  const script = join(import.meta.dirname, 'hold-daemon.ts');
  return spawn(process.execPath, ['--import', 'tsx', script], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** Whether a process runs. A zombie does not. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
