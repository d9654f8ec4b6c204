import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';

/** What a container of an image runs. */
export interface ContainerProgram {
  /** The working directory, below the root of the file system. */
  cwd: string;
  env: Record<string, string>;
  command: readonly string[];
  user: string | undefined;
}

/**
 * Does the steps of a Dockerfile after its base image, in a folder that is the root of the file system. Knows the instructions that need no
 * program of the image.
 *
 * @param context - the folder that the image is built from
 * @throws Error for any other instruction
 */
export async function applyDockerfile(
  dockerfile: string,
  { context, root }: { context: string; root: string },
): Promise<ContainerProgram> {
  const program: ContainerProgram = { cwd: root, env: {}, command: [], user: undefined };
  const lines = dockerfile.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  for (const line of lines) {
    const [instruction = '', ...words] = line.split(' ');
    const [first = '', second = ''] = words;
    if (instruction === 'WORKDIR') {
      program.cwd = join(root, first);
      await mkdir(program.cwd, { recursive: true });
    } else if (instruction === 'ENV') {
      const [name = '', value = ''] = first.split('=');
      program.env[name] = value;
    } else if (instruction === 'COPY') {
      await cp(join(context, first), join(program.cwd, second), { recursive: true });
    } else if (instruction === 'USER') program.user = first;
    else if (instruction === 'CMD') program.command = JSON.parse(words.join(' '));
    else if (instruction !== 'FROM') throw new Error(`an instruction that is not known here: ${line}`);
  }
  return program;
}
