import { cp, mkdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** What a container of an image runs. */
export interface ContainerProgram {
  /** The working directory, below the root of the file system. */
  cwd: string;
  env: Record<string, string>;
  command: readonly string[];
  user: string | undefined;
  healthcheck: readonly string[];
  volumes: readonly string[];
}

/** A part of a Dockerfile from one FROM to the next. */
export interface Stage {
  /** The name behind AS; that of the last one is `undefined`. */
  name: string | undefined;
  /** The folder that is the root of its file system. */
  root: string;
  program: ContainerProgram;
}

export interface ImageOptions {
  /** The folder that the image is built from. */
  context: string;
  /** An empty folder for the root of the image. Those of other stages are beside it. */
  root: string;
  /** Does a RUN step. Without it, RUN is not known. */
  run?: (command: string, stage: Stage) => Promise<void>;
}

/**
 * Does the steps of a Dockerfile after its base images, in folders that are the roots of file systems.
 *
 * @throws Error for an instruction that is not known here
 */
export async function applyDockerfile(dockerfile: string, options: ImageOptions): Promise<ContainerProgram> {
  const roots = new Map<string, string>();
  let stage = await beginStage('', options.root, roots);
  for (const line of linesOf(dockerfile)) {
    const [instruction = '', ...words] = line.split(/\s+/);
    if (instruction === 'FROM') stage = await beginStage(words.join(' '), options.root, roots);
    else if (instruction === 'COPY') await copy(words, stage, options.context, roots);
    else if (instruction === 'RUN' && options.run) await options.run(words.join(' '), stage);
    else await applyToProgram(instruction, words.join(' '), stage, line);
  }
  return stage.program;
}

/** Returns the instructions, those of several lines as one. */
function linesOf(dockerfile: string): string[] {
  const lines = dockerfile.split('\n').filter((line) => !line.startsWith('#'));
  return lines
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '');
}

/** @param from - what stands behind FROM */
async function beginStage(from: string, imageRoot: string, roots: Map<string, string>): Promise<Stage> {
  const name = / AS (.+)$/i.exec(from)?.[1];
  const root = name === undefined ? imageRoot : `${imageRoot}-${name}`;
  if (name !== undefined) roots.set(name, root);
  await mkdir(root, { recursive: true });
  const program = { cwd: root, env: {}, command: [], user: undefined, healthcheck: [], volumes: [] };
  return { name, root, program };
}

async function copy(
  words: readonly string[],
  { root, program }: Stage,
  context: string,
  roots: ReadonlyMap<string, string>,
): Promise<void> {
  const from = /^--from=(.+)$/.exec(words[0] ?? '')?.[1];
  const paths = from === undefined ? words : words.slice(1);
  const source = from === undefined ? context : roots.get(from);
  if (source === undefined) throw new Error(`there is no stage ${from}`);
  const target = paths.at(-1) ?? '';
  const place = target.startsWith('/') ? join(root, target) : join(program.cwd, target);
  for (const path of paths.slice(0, -1)) {
    const isFolder = (await stat(join(source, path))).isDirectory();
    const to = !isFolder && target.endsWith('/') ? join(place, basename(path)) : place;
    await cp(join(source, path), to, { recursive: true });
  }
}

async function applyToProgram(
  instruction: string,
  rest: string,
  { root, program }: Stage,
  line: string,
): Promise<void> {
  if (instruction === 'WORKDIR') {
    program.cwd = join(root, rest);
    await mkdir(program.cwd, { recursive: true });
  } else if (instruction === 'ENV') {
    const [, name = '', value = ''] = /^([^=]+)=(.*)$/.exec(rest) ?? [];
    program.env[name] = value;
  } else if (instruction === 'USER') program.user = rest;
  else if (instruction === 'VOLUME') program.volumes = [...program.volumes, rest];
  else if (instruction === 'CMD') program.command = JSON.parse(rest);
  else if (instruction === 'HEALTHCHECK') program.healthcheck = JSON.parse(rest.replace(/^.*? CMD /, ''));
  else if (instruction !== 'EXPOSE') throw new Error(`an instruction that is not known here: ${line}`);
}
