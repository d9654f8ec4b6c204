import { Command } from 'commander';

/** `serve`: starts the server, as `npm start` does. */
export function serveCommand(): Command {
  return new Command('serve')
    .description('start the server; without configuration, a demo')
    .addHelpText(
      'after',
      '\nIt is configured by the environment: see edgepress config, and docs/configuration.md.' +
        '\n  edgepress serve' +
        '\n  PORT=8080 STORE=file:/var/lib/edgepress SOURCE_ALLOW="https://images.example.com/*" edgepress serve',
    )
    .action(async () => {
      // The program of the server runs as soon as it is loaded.
      await import('../src/entry/server.ts');
    });
}
