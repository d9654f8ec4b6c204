import { spawnSync } from 'node:child_process';

// dependency-cruiser says that all is well when it could read nothing, so that it is asked how much it read.
const { stdout, stderr, status } = spawnSync('depcruise', ['src', 'scripts', 'infra', 'test'], {
  encoding: 'utf8',
});
process.stdout.write(stdout + stderr);
const cruised = Number(/(\d+) modules/.exec(stdout)?.[1] ?? 0);
if (cruised === 0) process.stderr.write('No module was looked at: the rules were not checked.\n');
process.exitCode = cruised === 0 ? 1 : (status ?? 1);
