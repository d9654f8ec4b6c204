import { describe, expect, it } from 'vitest';
import { A, B, C, idsOf, isWrite, list, NEW_ID } from '../support/aws/keys.ts';
import { setUpStack } from '../support/aws/stack.ts';

const ROTATE = ['keys', 'rotate', '--settle', '0'];

describe('the command keys list', () => {
  it('identifies the keys without revealing them', async () => {
    const { run } = await setUpStack({ edge: list(B, A), signers: list(A, B) });
    const { status, stdout, stderr } = await run(['keys', 'list', 'Edgepress']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(
      /^Edgepress: 2 keys\n\n {2}a {2}[0-9a-f]{16} {2}signs\n {2}b {2}[0-9a-f]{16} {2}valid, no longer signs\n\nEdge and signers agree\.\n$/,
    );
    expect(stdout).not.toMatch(/aaaaaaaa|bbbbbbbb/);
  });

  it('prints a JSON object with --json, without the keys themselves', async () => {
    const { run } = await setUpStack({ edge: list(B, C), signers: list(A, B) });
    const { status, stdout } = await run(['keys', 'list', '--json']);
    expect(status).toBe(2);
    expect(stdout).not.toMatch(/aaaaaaaa|bbbbbbbb|cccccccc/);
    const fingerprint = expect.stringMatching(/^[0-9a-f]{16}$/);
    expect(JSON.parse(stdout)).toEqual({
      stack: 'Edgepress',
      isInSync: false,
      keys: [
        { id: 'a', fingerprint, signs: true, atEdge: false, atSigners: true },
        { id: 'b', fingerprint, signs: false, atEdge: true, atSigners: true },
        { id: 'c', fingerprint, signs: false, atEdge: true, atSigners: false },
      ],
    });
  });

  it('ends with 2 when there are no keys yet', async () => {
    const { run } = await setUpStack();
    const { status, stdout } = await run(['keys', 'list']);
    expect(status).toBe(2);
    expect(stdout).toMatch(/^Edgepress has no signing keys yet .*npx edgepress keys rotate Edgepress\n$/);
  });
});

describe('the command keys rotate', () => {
  it('prints with --json what it has done', async () => {
    const { run, secret } = await setUpStack({ edge: A, signers: A });
    const rotated = JSON.parse((await run([...ROTATE, '--json'])).stdout) as object;
    const [signs] = idsOf(secret.current());
    expect(rotated).toMatchObject({ stack: 'Edgepress', signs, isNew: true, valid: ['a'], removed: [] });
    const revoked = await run(['keys', 'revoke', 'Edgepress', 'a', '--settle', '0', '--json']);
    expect(JSON.parse(revoked.stdout)).toEqual({ stack: 'Edgepress', revoked: 'a' });
  });

  it('makes the first key', async () => {
    const { run, store, secret, aws } = await setUpStack();
    const { status, stdout } = await run(ROTATE);
    expect(status).toBe(0);
    expect(store.current()).toMatch(/^k\d{8}-[0-9a-f]{6}:[0-9a-f]{64}$/);
    expect(secret.current()).toBe(store.current());
    expect(stdout).toMatch(new RegExp(`^${idsOf(secret.current())[0]} signs from now on\\.\n`));
    expect(aws.operations.filter(isWrite)).toEqual(['PutKey', 'PutSecretValue']);
  });

  it('adds the key to the edge before the signers get it, and keeps two old ones valid', async () => {
    const { run, store, secret, aws } = await setUpStack({ edge: list(A, B, C), signers: list(A, B, C) });
    let seenAtEdge = '';
    store.lag = 1;
    aws.fault = (operation) => {
      if (operation === 'PutSecretValue') seenAtEdge = store.current() ?? '';
      return undefined;
    };
    const { status, stdout, stderr } = await run(['keys', 'rotate', 'Edgepress', '--settle', '1']);
    expect(status).toBe(0);
    expect(idsOf(seenAtEdge)).toEqual(['a', 'b', 'c', expect.stringMatching(NEW_ID)]);
    expect(idsOf(secret.current())).toEqual([expect.stringMatching(NEW_ID), 'a', 'b']);
    expect(store.current()).toBe(secret.current());
    expect(stderr).toMatch(/^Adding k.* at the edge\.\nWaiting for all edge locations: 1 s\nAdded k/);
    expect(stdout).toMatch(/signs from now on\.\nStill valid: a, b\nNo longer valid: c\n/);
    expect(stdout + stderr).not.toMatch(/[0-9a-f]{32}/);
    // The signers get the key only when a read of the edge returns it.
    const beforeSigners = aws.operations.slice(0, aws.operations.indexOf('PutSecretValue'));
    expect(beforeSigners.slice(-3)).toEqual(['PutKey', 'GetKey', 'GetKey']);
  });

  it('keeps as many old keys valid as --keep says', async () => {
    const { run, secret, store } = await setUpStack({ edge: list(A, B, C), signers: list(A, B, C) });
    await run([...ROTATE, '--keep', '3']);
    expect(idsOf(secret.current())).toHaveLength(4);
    await run([...ROTATE, '--keep', '0']);
    expect(idsOf(secret.current())).toEqual([expect.stringMatching(NEW_ID)]);
    expect(store.current()).toBe(secret.current());
    expect((await run([...ROTATE, '--keep', 'x'])).stderr).toMatch(/whole number from 0 to 10\./);
  });

  it('rotates again and again with as many keys as fit at the edge', async () => {
    const keys = Array.from({ length: 11 }, (_, index) => `k20261125-5b29${index + 10}:${'0'.repeat(64)}`);
    const { run, secret, store } = await setUpStack({ edge: list(...keys), signers: list(...keys) });
    expect((await run([...ROTATE, '--keep', '11'])).stderr).toMatch(/whole number from 0 to 10\./);
    expect((await run([...ROTATE, '--keep', '10'])).status).toBe(0);
    expect(idsOf(secret.current())).toHaveLength(11);
    expect(store.current()).toBe(secret.current());
  });

  it('ends with 1 and changes nothing when another key does not fit at the edge', async () => {
    const keys = Array.from({ length: 14 }, (_, index) => `key-${index + 10}:${'0'.repeat(64)}`).join(',');
    const { run, secret, store } = await setUpStack({ edge: keys, signers: keys });
    const { status, stderr } = await run(ROTATE);
    expect(status).toBe(1);
    expect(stderr).toMatch(/no room for 15 keys .* 1024\. .*keys -- revoke.*Nothing was changed\.\n$/);
    expect([secret.current(), store.current()]).toEqual([keys, keys]);
  });

  it('ends with 1 and says how to continue when it stops half-way', async () => {
    const { run, aws, secret } = await setUpStack({ edge: A, signers: A });
    aws.fault = (operation) => (operation === 'PutSecretValue' ? 'deny' : undefined);
    const { status, stdout, stderr } = await run(ROTATE);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(
      /AWS refuses secretsmanager:PutSecretValue \(.*\): .*\n.*half-way\. No URL is affected\. Run this again to continue/,
    );
    expect(secret.current()).toBe(A);
  });
});

describe('the command keys revoke', () => {
  const revoke = (id: string) => ['keys', 'revoke', 'Edgepress', id, '--settle', '0'];

  it('removes a key from the signers first, and the next one signs', async () => {
    const { run, store, secret, aws } = await setUpStack({ edge: list(A, B, C), signers: list(A, B, C) });
    const { status, stdout, stderr } = await run(revoke('a'));
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect([secret.current(), store.current()]).toEqual([list(B, C), list(B, C)]);
    expect(stdout).toMatch(/^a is no longer valid[^\n]*\nb signs from now on\.\n/);
    expect(aws.operations.filter(isWrite)).toEqual(['PutSecretValue', 'UpdateSecretVersionStage', 'PutKey']);
    expect((await run(revoke('c'))).stdout).not.toMatch(/signs from now on/);
    expect([secret.current(), store.current()]).toEqual([B, B]);
  });

  it('refuses to remove the only key, or one that does not exist', async () => {
    const { run, store, secret, aws } = await setUpStack({ edge: list(A, B), signers: A });
    const only = await run(revoke('a'));
    expect(only).toMatchObject({ status: 1, stdout: '' });
    expect(only.stderr).toMatch(/^a is the only key: .*keys -- rotate/);
    expect((await run(revoke('z'))).stderr).toMatch(/^There is no key z/);
    expect([secret.current(), store.current()]).toEqual([A, list(A, B)]);
    expect(aws.operations.filter(isWrite)).toEqual([]);
  });
});
