import { isClosedPipe, runCommand } from './cli/command.ts';
import { createProgram } from './program.ts';

// A reader that has enough, such as `| head`, closes the pipe: that must not crash the command.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    if (!isClosedPipe(error)) throw error;
  });
}

await runCommand(createProgram());
