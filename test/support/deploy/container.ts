import { spawnSync } from 'node:child_process';
import { relative } from 'node:path';
import type { ContainerProgram, Stage } from '../infra/dockerfile.ts';
import { type Program, runExecutable } from '../program.ts';

/** Why no container can be run here; `undefined` when it can. Mounting needs root. */
export function whyNoContainers(): string | undefined {
  const { status, stderr } = spawnSync('unshare', ['--mount', 'true'], { encoding: 'utf8' });
  return status === 0 ? undefined : `unshare: ${stderr}`;
}

// The files of an image are laid over those of this machine, which stand in for its base image: Debian with Node. Arguments of both
// scripts: the files, the folder for /data, the user, the working directory, and a command.

/** For a RUN step: what it writes becomes a part of the image. */
const BUILD = `
files=$1 user=$3 cwd=$4
shift 4
mkdir -p "$files.work" "$files.mounted"
mount -t overlay overlay -o "lowerdir=/,upperdir=$files,workdir=$files.work" "$files.mounted"
mount --rbind /dev "$files.mounted/dev"
mount -t proc proc "$files.mounted/proc"
exec chroot --userspec="$user" "$files.mounted" env -C "$cwd" "$@"`;

/** For a container whose root file system is read-only. */
const RUN = `
files=$1 data=$2 user=$3 cwd=$4
shift 4
mkdir -p "$files.mounted" "$files.work-$$"
mount -t overlay overlay -o "lowerdir=/,upperdir=$files,workdir=$files.work-$$" "$files.mounted"
mount --rbind /dev "$files.mounted/dev"
mount -t proc proc "$files.mounted/proc"
mount --bind "$data" "$files.mounted/data"
mount -t tmpfs tmpfs "$files.mounted/tmp"
mount -o remount,ro "$files.mounted"
exec chroot --userspec="$user" "$files.mounted" env -C "$cwd" "$@"`;

/** Runs a RUN step as root, with the variables of this process: npm finds its registry by them. */
export async function runStep(command: string, { root, program }: Stage): Promise<void> {
  const variables = Object.entries(program.env).map(([name, value]) => `${name}=${value}`);
  const args = [...variables, 'sh', '-ec', command];
  const step = enter(BUILD, [root, '', '0:0', cwdIn(root, program), ...args], process.env);
  const status = await step.ended;
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${step.output.stderr}`);
}

/**
 * Starts a command in a container: by default that of the image.
 *
 * @param root - the files of the image
 * @param data - a folder in the place of the volume /data
 */
export function runContainer(
  root: string,
  data: string,
  program: ContainerProgram,
  env: Record<string, string>,
  command: readonly string[] = program.command,
): Program {
  const variables = Object.entries({ PATH: '/usr/local/bin:/usr/bin:/bin', ...program.env, ...env });
  const args = ['-i', ...variables.map(([name, value]) => `${name}=${value}`), ...command];
  return enter(RUN, [root, data, program.user ?? '0:0', cwdIn(root, program), ...args], {});
}

function cwdIn(root: string, { cwd }: ContainerProgram): string {
  return `/${relative(root, cwd)}`;
}

function enter(script: string, args: readonly string[], env: NodeJS.ProcessEnv): Program {
  return runExecutable(
    'unshare',
    ['--mount', 'sh', '-ec', script, 'sh', ...args],
    env as Record<string, string>,
    '/',
  );
}
