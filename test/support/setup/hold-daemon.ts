import { createDaemons } from './daemons.ts';

// A process to be killed by a test: it starts a daemon that never ends, prints the folder of the daemon, and waits.
const daemons = await createDaemons('edgepress-daemons', (folder) => ({ FOLDER: folder }));
daemons.start('sh', [
  '-c',
  'echo $$ > "$FOLDER/pid.new" && mv "$FOLDER/pid.new" "$FOLDER/pid"; while :; do sleep 1; done',
]);
process.stdout.write(daemons.folder);
setInterval(() => undefined, 1000);
