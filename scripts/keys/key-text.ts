import type { SigningKey } from '../../src/protocol/signature.ts';
import { counted } from '../cli/text.ts';
import { fingerprint, hasKey } from './key-list.ts';
import { areInSync, type KeySnapshot } from './key-stores.ts';
import type { Revocation } from './revoke-key.ts';
import type { Rotation } from './rotate-keys.ts';

/** The text of `keys list`: every key and how it is used. `isInSync` tells whether there are keys, and edge and signers agree. */
export function formatKeys(stack: string, snapshot: KeySnapshot): { text: string; isInSync: boolean } {
  const { edge, signers } = snapshot;
  const all = [...signers, ...edge.filter((key) => !hasKey(signers, key))];
  if (all.length === 0)
    return {
      text: `${stack} has no signing keys yet and refuses every URL. Create one: npx edgepress keys rotate ${stack}`,
      isInSync: false,
    };
  const width = Math.max(...all.map(({ id }) => id.length));
  const lines = all.map(
    (key) => `  ${key.id.padEnd(width)}  ${fingerprint(key)}  ${formatUse(key, snapshot)}`,
  );
  return {
    text: [
      `${stack}: ${counted(all.length, 'key')}`,
      '',
      ...lines,
      '',
      ...formatAgreement(stack, snapshot),
    ].join('\n'),
    isInSync: areInSync(edge, signers),
  };
}

function formatUse(key: SigningKey, { edge, signers }: KeySnapshot): string {
  if (!hasKey(signers, key)) return 'valid, but no signer has it';
  if (!hasKey(edge, key)) return 'signers have it, but it is NOT valid at the edge';
  return key.id === signers[0]?.id ? 'signs' : 'valid, no longer signs';
}

function formatAgreement(stack: string, { edge, signers }: KeySnapshot): string[] {
  if (areInSync(edge, signers)) return ['Edge and signers agree.'];
  const isBroken = signers.some((key) => !hasKey(edge, key));
  return [
    isBroken
      ? 'Edge and signers do not agree: somebody has changed one of them by hand, and some signed URLs are refused.'
      : 'Edge and signers do not agree: a rotation or revocation has stopped half-way. No URL is affected.',
    `Run the same command again, or: npx edgepress keys rotate ${stack}`,
  ];
}

/** The text of `keys rotate`. */
export function formatRotation(stack: string, rotation: Rotation): string {
  const { signs, isNew, valid, removed, isEdgeInSync } = rotation;
  return [
    isNew
      ? `${signs} signs from now on.`
      : `An earlier rotation had stopped half-way and is complete now: ${signs} signs. No other key was created: run this again to create one.`,
    ...(valid.length > 0 ? [`Still valid: ${valid.join(', ')}`] : []),
    ...(removed.length > 0 ? [`No longer valid: ${removed.join(', ')}`] : []),
    ...(isEdgeInSync
      ? []
      : ['Somebody else has changed the keys in the meantime: their command does the rest.']),
    '',
    `Signers use it once they have reloaded their keys: eval "$(npx edgepress env ${stack})"`,
    ...(valid.length > 0
      ? [
          `Revoke an old key when no URL that it has signed is in use any more: npx edgepress keys revoke ${stack} ID`,
        ]
      : []),
  ].join('\n');
}

/** The text of `keys revoke`. */
export function formatRevocation(stack: string, id: string, { signs }: Revocation): string {
  return [
    `${id} is no longer valid, nor is any URL that it has signed. All edge locations refuse it within half a minute.`,
    ...(signs === undefined ? [] : [`${signs} signs from now on.`]),
    '',
    'Phones keep the images that they have cached for up to max-age.',
    `Running signers must reload their keys: eval "$(npx edgepress env ${stack})"`,
  ].join('\n');
}
