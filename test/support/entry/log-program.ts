import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { createLogOutput } from '../../../src/entry/log-output.ts';

// A program with a log on standard output and a small buffer. For each number on standard input it logs so many lines, then prints on
// standard error how many were lost so far. `forward [...]` logs the lines of another process, which come in these pieces. `exit` ends it.

const output = createLogOutput({ minBytes: 500, maxBytes: 1000, flushMs: 10, bufferBytes: 10_000 });
output.onRecovered(({ count, reason }) => output.write(`lost ${count}: ${reason}\n`));
process.on('exit', output.flushSync);
output.write('started\n');

let logged = 0;
for await (const command of createInterface({ input: process.stdin })) {
  if (command === 'exit') process.exit(0);
  if (command.startsWith('forward ')) {
    output.forward(Readable.from(JSON.parse(command.slice('forward '.length)), { objectMode: false }));
    await output.flush(60_000);
    continue;
  }
  for (let count = 0; count < Number(command); count++) output.write(`line ${logged++}\n`);
  process.stderr.write(`${output.droppedLines()} lost\n`);
}
