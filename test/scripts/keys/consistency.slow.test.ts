import { afterEach, describe, expect, it, vi } from 'vitest';
import { readKeyStores } from '../../../scripts/keys/key-stores.ts';
import { formatKeys } from '../../../scripts/keys/key-text.ts';
import { A, B, C, D, idsOf, isWrite, list, NEW_ID, setUpKeys } from '../../support/aws/keys.ts';

// The commands on signing keys while somebody else changes the keys, or after a command has stopped half-way.

afterEach(() => {
  vi.unstubAllEnvs();
});

type Keys = Awaited<ReturnType<typeof setUpKeys>>;

const isNew = expect.stringMatching(NEW_ID);
const changed = /Somebody else has changed the signing keys in the meantime/;

describe('keys list', () => {
  it.each([
    ['a key that only the edge has', list(A, B), A, /b .* valid, but no signer has it\n\n.*half-way/],
    ['a key that only signers have', A, list(B, A), /b .* NOT valid at the edge\n[\s\S]*by hand/],
    ['one id for two keys', A, `a:${'b'.repeat(64)}`, /NOT valid at the edge\n.* no signer has it\n/],
  ])('reports %s', async (_, edge, signers, said) => {
    const { use } = await setUpKeys({ edge, signers });
    const { text, isInSync } = formatKeys('Edgepress', await use(readKeyStores));
    expect(isInSync).toBe(false);
    expect(text).toMatch(said);
    expect(text).toContain('npx edgepress keys rotate Edgepress');
  });
});

describe('keys rotate', () => {
  it('repairs keys that somebody has broken by hand', async () => {
    const { rotate, secret, store } = await setUpKeys({
      edge: list(`a:${'f'.repeat(64)}`, C),
      signers: list(A, B),
    });
    expect(await rotate()).toMatchObject({ isNew: true, valid: ['a', 'b'], removed: ['c'] });
    expect(secret.current()).toMatch(new RegExp(`,${A},${B}$`));
    expect(store.current()).toBe(secret.current());
  });

  it('keeps a key that somebody else adds to the edge meanwhile, unless no signer can have it any more', async () => {
    const { rotate, secret, store, aws } = await setUpKeys({ edge: A, signers: A });
    aws.fault = (operation, nth) => {
      // Somebody who adds it now has read the signers' keys before our change, and so cannot change them after it.
      if (operation === 'PutKey' && nth === 1) store.overwrite(list(A, B));
      // Somebody who adds one now may have read them after it.
      if (operation === 'PutKey' && nth === 3) store.overwrite(`${store.current()},${C}`);
      return undefined;
    };
    await rotate();
    expect(idsOf(secret.current())).toEqual([isNew, 'a']);
    expect(store.current()).toBe(`${secret.current()},${C}`);
  });

  it.each(['PutSecretValue', 'UpdateSecretVersionStage'])(
    "stops when somebody else changes the signers' keys at %s, and keeps their change",
    async (when) => {
      const { rotate, secret, store, aws } = await setUpKeys({ edge: list(A, B), signers: A });
      aws.fault = (operation) => {
        if (operation === when) secret.overwrite(list(B, A));
        return undefined;
      };
      await expect(rotate()).rejects.toThrow(changed);
      expect(secret.current()).toBe(list(B, A));
      expect(idsOf(store.current())).toEqual(['a', 'b', isNew]);
    },
  );

  it('stops when somebody else makes the first key meanwhile', async () => {
    const { rotate, secret, aws } = await setUpKeys();
    aws.fault = (operation) => {
      if (operation === 'PutSecretValue') secret.overwrite(A);
      return undefined;
    };
    await expect(rotate()).rejects.toThrow(changed);
    expect(secret.current()).toBe(A);
  });

  it("leaves the edge to somebody who changes the signers' keys after it", async () => {
    const { rotate, secret, store, aws } = await setUpKeys({ edge: A, signers: A });
    aws.fault = (operation, nth) => {
      if (operation !== 'PutKey' || nth !== 2) return undefined;
      secret.overwrite(A);
      store.overwrite(list(A, D));
      return undefined;
    };
    expect(await rotate()).toMatchObject({ isEdgeInSync: false });
    expect(store.current()).toBe(list(A, D));
  });

  it('succeeds with a secret that is eventually consistent', async () => {
    const { rotate, secret, store } = await setUpKeys({ edge: A, signers: A });
    secret.lag = 1;
    expect(await rotate()).toMatchObject({ isNew: true, isEdgeInSync: true });
    expect(store.current()).toBe(secret.current());
  });

  it('succeeds when the response to a write is lost', async () => {
    for (const keys of [undefined, A]) {
      const { rotate, secret, store, aws } = await setUpKeys({ edge: keys, signers: keys });
      aws.fault = (operation, nth) => (isWrite(operation) && nth === 1 ? 'lose' : undefined);
      await rotate();
      expect(idsOf(secret.current())[0]).toEqual(isNew);
      expect(secret.current()?.endsWith(keys ?? '')).toBe(true);
      expect(new Set(store.current()?.split(','))).toEqual(new Set(secret.current()?.split(',')));
    }
  });
});

describe('keys revoke', () => {
  it('removes a key that only the edge or only the signers have', async () => {
    const { revoke, store, secret } = await setUpKeys({ edge: list(A, B), signers: A });
    expect(await revoke('b')).toEqual({ signs: undefined });
    expect([secret.current(), store.current()]).toEqual([A, A]);
    secret.overwrite(list(C, A, D));
    expect(await revoke('c')).toEqual({ signs: 'a' });
    expect([secret.current(), store.current()]).toEqual([list(A, D), list(A, D)]);
  });

  it("stops when somebody else changes the signers' keys meanwhile", async () => {
    const { revoke, store, secret, aws } = await setUpKeys({ edge: list(A, B), signers: list(A, B) });
    aws.fault = (operation) => {
      if (operation === 'UpdateSecretVersionStage') secret.overwrite(list(B, A));
      return undefined;
    };
    await expect(revoke('a')).rejects.toThrow(changed);
    expect([secret.current(), store.current()]).toEqual([list(B, A), list(A, B)]);
  });

  it('fails when somebody else has restored the key meanwhile', async () => {
    const { revoke, secret, store, aws } = await setUpKeys({ edge: list(A, B), signers: list(A, B) });
    aws.fault = (operation) => {
      if (operation !== 'PutKey') return undefined;
      secret.overwrite(list(B, A));
      store.overwrite(list(B, A));
      return undefined;
    };
    await expect(revoke('a')).rejects.toThrow(changed);
    expect(store.current()).toBe(list(B, A));
  });
});

describe('a command that dies half-way', () => {
  const isSafe = ({ store, secret }: Keys) => {
    const edge = (store.current() ?? '').split(',');
    return (secret.current() ?? '').split(',').every((key) => key === '' || edge.includes(key));
  };

  /**
   * Runs a command that dies after this many calls were answered, and then runs it again.
   *
   * @returns `died`: whether it made more calls than that; `wasSafe`: whether every key of the signers was valid at each call
   */
  async function dieAfter(answered: number, keys: Keys, work: () => Promise<unknown>) {
    let wasSafe = true;
    let calls = 0;
    keys.aws.fault = () => {
      wasSafe &&= isSafe(keys);
      return ++calls > answered ? 'refuse' : undefined;
    };
    const died = await work().then(
      () => false,
      () => true,
    );
    calls = Number.NEGATIVE_INFINITY;
    if (died) await work();
    return { died, wasSafe: wasSafe && isSafe(keys) };
  }

  it.each([
    ['the first one', undefined, []],
    ['one of a single key', list(A), ['a']],
    ['one of many keys', list(A, B, C, D), ['a', 'b']],
  ])("leaves all signers' keys valid, and a second rotation completes %s", async (_, before, left) => {
    let answered = 0;
    for (let died = true; died; answered++) {
      const keys = await setUpKeys({ edge: before, signers: before });
      const end = await dieAfter(answered, keys, keys.rotate);
      died = end.died;
      expect(end.wasSafe).toBe(true);
      // The first run of a first rotation may have left a key at the edge. Its origin is not known, so it counts as an old one.
      const old = before === undefined ? idsOf(keys.secret.current()).slice(1) : left;
      expect(idsOf(keys.secret.current())).toEqual([isNew, ...old]);
      expect(keys.store.current()).toBe(keys.secret.current());
    }
    expect(answered).toBeGreaterThan(10);
  });

  it.each(['a', 'b', 'c'])(
    "leaves all signers' keys valid, and a second revocation of %s completes it",
    async (id) => {
      let answered = 0;
      for (let died = true; died; answered++) {
        const keys = await setUpKeys({ edge: list(A, B, C), signers: list(A, B, C) });
        const end = await dieAfter(answered, keys, () => keys.revoke(id));
        died = end.died;
        expect(end.wasSafe).toBe(true);
        expect(idsOf(keys.secret.current())).toEqual(['a', 'b', 'c'].filter((other) => other !== id));
        expect(keys.store.current()).toBe(keys.secret.current());
      }
      expect(answered).toBeGreaterThan(8);
    },
  );
});
