import { countDown } from '../command/countdown.ts';
import { describeKeys, describeRevocation, describeRotation } from './key-text.ts';
import { withPlaces } from './open-places.ts';
import { readPlaces } from './places.ts';
import { revokeKey } from './revoke-key.ts';
import { rotateKeys } from './rotate-keys.ts';

const say = (text: string) => void process.stderr.write(`${text}\n`);
const print = (text: string) => void process.stdout.write(`${text}\n`);

/** `keys list` */
export async function list(stack: string): Promise<void> {
  const { text, isWell } = describeKeys(stack, await withPlaces(stack, say, readPlaces));
  print(text);
  if (!isWell) process.exitCode = 2;
}

/** `keys rotate` */
export async function rotate(
  stack: string,
  { keep, settle }: { keep: number; settle: number },
): Promise<void> {
  const rotation = await withPlaces(stack, say, (places) =>
    rotateKeys(places, { keep, say, settle: () => waitForEdge(settle) }),
  );
  print(describeRotation(stack, rotation));
}

/** `keys revoke` */
export async function revoke(stack: string, id: string, { settle }: { settle: number }): Promise<void> {
  const revocation = await withPlaces(stack, say, (places) =>
    revokeKey(places, id, () => waitForEdge(settle)),
  );
  print(describeRevocation(stack, id, revocation));
}

async function waitForEdge(seconds: number): Promise<void> {
  await countDown(seconds, 'Every edge location gets to know it');
}
