import type { SigningKey } from '../../src/protocol/signature.ts';
import { counted } from '../command/amounts.ts';
import { fingerprint, hasKey } from './key-list.ts';
import { agree, type Found } from './places.ts';
import type { Revocation } from './revoke-key.ts';
import type { Rotation } from './rotate-keys.ts';

/** What there is, and whether it is as it has to be. */
export function describeKeys(stack: string, found: Found): { text: string; isWell: boolean } {
  const { edge, signers } = found;
  const all = [...signers, ...edge.filter((key) => !hasKey(signers, key))];
  if (all.length === 0)
    return {
      text: `${stack} has no signing keys yet, and so refuses every URL. Make one: npm run keys -- rotate ${stack}`,
      isWell: false,
    };
  const width = Math.max(...all.map(({ id }) => id.length));
  const lines = all.map(
    (key) => `  ${key.id.padEnd(width)}  ${fingerprint(key)}  ${describeUse(key, found)}`,
  );
  return {
    text: [
      `${stack}: ${counted(all.length, 'key')}`,
      '',
      ...lines,
      '',
      ...describeAgreement(stack, found),
    ].join('\n'),
    isWell: agree(edge, signers),
  };
}

function describeUse(key: SigningKey, { edge, signers }: Found): string {
  if (!hasKey(signers, key)) return 'valid, but no signer has it';
  if (!hasKey(edge, key)) return 'with the signers, but NOT valid at the edge';
  return key.id === signers[0]?.id ? 'signs' : 'valid, signs no more';
}

function describeAgreement(stack: string, { edge, signers }: Found): string[] {
  if (agree(edge, signers)) return ['Edge and signers agree.'];
  const isBroken = signers.some((key) => !hasKey(edge, key));
  return [
    isBroken
      ? 'Edge and signers do not agree: somebody has changed one of them by hand, and URLs are refused that are signed.'
      : 'Edge and signers do not agree: a rotation or revocation has stopped half-way. No URL suffers from it.',
    `Do what was begun again, or: npm run keys -- rotate ${stack}`,
  ];
}

export function describeRotation(stack: string, rotation: Rotation): string {
  const { signs, isNew, valid, removed, isSettled } = rotation;
  return [
    isNew
      ? `${signs} signs from now on.`
      : `An earlier rotation had stopped half-way; it is done now: ${signs} signs. No other key was made: run this again for one.`,
    ...(valid.length > 0 ? [`Still valid: ${valid.join(', ')}`] : []),
    ...(removed.length > 0 ? [`Not valid any more: ${removed.join(', ')}`] : []),
    ...(isSettled ? [] : ['Somebody else has changed the keys meanwhile: what is left to do is theirs.']),
    '',
    `Signers have it once they read their keys again: eval "$(npm run -s env -- ${stack})"`,
    ...(valid.length > 0
      ? [
          `An old key can go when no URL is in use any more that it has signed: npm run keys -- revoke ${stack} ID`,
        ]
      : []),
  ].join('\n');
}

export function describeRevocation(stack: string, id: string, { signs }: Revocation): string {
  return [
    `${id} is not valid any more, nor any URL that it has signed. The edge locations know within half a minute.`,
    ...(signs === undefined ? [] : [`${signs} signs from now on.`]),
    '',
    'Phones keep what they have, for up to max-age.',
    `Signers that run must read their keys again: eval "$(npm run -s env -- ${stack})"`,
  ].join('\n');
}
