import { Command } from 'commander';
import { addExamples } from './cli/examples.ts';

/** `serve`: starts the server, as `npm start` does. */
export function serveCommand(): Command {
  const command = new Command('serve')
    .description('start the server; without configuration, a demo')
    .addHelpText(
      'after',
      '\nIt is configured by the environment: see edgepress config, and docs/configuration.md.',
    )
    .action(async () => {
      // The program of the server runs as soon as it is loaded.
      await import('../src/entry/server.ts');
    });
  return addExamples(command, [
    ['edgepress serve', 'the demo, on http://127.0.0.1:3000'],
    [
      'PORT=8080 STORE=file:/var/lib/edgepress SOURCE_ALLOW="https://images.example.com/*" edgepress serve',
      'images of one host, stored in a folder',
    ],
  ]);
}
