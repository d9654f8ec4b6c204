import { runCommand } from './cli/command.ts';
import { fuzzCommand } from './fuzz/fuzz-command.ts';

await runCommand(fuzzCommand());
// Decoders that made the images, and connections that are kept, would hold this process.
process.exit();
