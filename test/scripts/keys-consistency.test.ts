import { afterEach, describe, expect, it, vi } from 'vitest';
import { describeKeys } from '../../scripts/keys/key-text.ts';
import { readPlaces } from '../../scripts/keys/places.ts';
import { A, B, C, D, idsOf, isWrite, list, NEW_ID, setUpKeys } from '../support/aws/keys.ts';

// The commands on signing keys, while somebody else changes them too, or after they have stopped half-way.

afterEach(() => {
  vi.unstubAllEnvs();
});

type Keys = Awaited<ReturnType<typeof setUpKeys>>;

const isNew = expect.stringMatching(NEW_ID);
const changed = /Somebody else has changed the signing keys meanwhile/;

describe('list', () => {
  it.each([
    ['a key that only the edge has', list(A, B), A, /b .* valid, but no signer has it\n\n.*half-way/],
    ['a key that only signers have', A, list(B, A), /b .* NOT valid at the edge\n[\s\S]*by hand/],
    ['one id for two keys', A, `a:${'b'.repeat(64)}`, /NOT valid at the edge\n.* no signer has it\n/],
  ])('says when there is %s', async (_, edge, signers, said) => {
    const { use } = await setUpKeys({ edge, signers });
    const { text, isWell } = describeKeys('Edgepress', await use(readPlaces));
    expect(isWell).toBe(false);
    expect(text).toMatch(said);
    expect(text).toContain('npm run keys -- rotate Edgepress');
  });
});

describe('a rotation', () => {
  it('mends what somebody has broken by hand', async () => {
    const { rotate, secret, store } = await setUpKeys({
      edge: list(`a:${'f'.repeat(64)}`, C),
      signers: list(A, B),
    });
    expect(await rotate()).toMatchObject({ isNew: true, valid: ['a', 'b'], removed: ['c'] });
    expect(secret.current()).toMatch(new RegExp(`,${A},${B}$`));
    expect(store.current()).toBe(secret.current());
  });

  it('keeps what somebody else puts at the edge meanwhile, unless nobody can sign with it any more', async () => {
    const { rotate, secret, store, aws } = await setUpKeys({ edge: A, signers: A });
    aws.fault = (operation, nth) => {
      // Whoever puts it there now has read the signers' keys before we change them, and so cannot change them after us.
      if (operation === 'PutKey' && nth === 1) store.overwrite(list(A, B));
      // This one may have.
      if (operation === 'PutKey' && nth === 3) store.overwrite(`${store.current()},${C}`);
      return undefined;
    };
    await rotate();
    expect(idsOf(secret.current())).toEqual([isNew, 'a']);
    expect(store.current()).toBe(`${secret.current()},${C}`);
  });

  it.each(['PutSecretValue', 'UpdateSecretVersionStage'])(
    'stops when somebody else changes what signers have, at %s, and keeps theirs',
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

  it('stops when somebody else makes the first key', async () => {
    const { rotate, secret, aws } = await setUpKeys();
    aws.fault = (operation) => {
      if (operation === 'PutSecretValue') secret.overwrite(A);
      return undefined;
    };
    await expect(rotate()).rejects.toThrow(changed);
    expect(secret.current()).toBe(A);
  });

  it('leaves the rest to whoever changes the keys after it', async () => {
    const { rotate, secret, store, aws } = await setUpKeys({ edge: A, signers: A });
    aws.fault = (operation, nth) => {
      if (operation !== 'PutKey' || nth !== 2) return undefined;
      secret.overwrite(A);
      store.overwrite(list(A, D));
      return undefined;
    };
    expect(await rotate()).toMatchObject({ isSettled: false });
    expect(store.current()).toBe(list(A, D));
  });

  it('is not misled by a secret that tells late', async () => {
    const { rotate, secret, store } = await setUpKeys({ edge: A, signers: A });
    secret.lag = 1;
    expect(await rotate()).toMatchObject({ isNew: true, isSettled: true });
    expect(store.current()).toBe(secret.current());
  });

  it('is not misled by answers that are lost', async () => {
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

describe('a revocation', () => {
  it('takes away what only one of them has', async () => {
    const { revoke, store, secret } = await setUpKeys({ edge: list(A, B), signers: A });
    expect(await revoke('b')).toEqual({ signs: undefined });
    expect([secret.current(), store.current()]).toEqual([A, A]);
    secret.overwrite(list(C, A, D));
    expect(await revoke('c')).toEqual({ signs: 'a' });
    expect([secret.current(), store.current()]).toEqual([list(A, D), list(A, D)]);
  });

  it('stops when somebody else changes what signers have', async () => {
    const { revoke, store, secret, aws } = await setUpKeys({ edge: list(A, B), signers: list(A, B) });
    aws.fault = (operation) => {
      if (operation === 'UpdateSecretVersionStage') secret.overwrite(list(B, A));
      return undefined;
    };
    await expect(revoke('a')).rejects.toThrow(changed);
    expect([secret.current(), store.current()]).toEqual([list(B, A), list(A, B)]);
  });

  it('does not say that a key is gone which somebody else has brought back', async () => {
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

describe('wherever a process dies', () => {
  const isSafe = ({ store, secret }: Keys) => {
    const edge = (store.current() ?? '').split(',');
    return (secret.current() ?? '').split(',').every((key) => key === '' || edge.includes(key));
  };

  /**
   * Does something that dies after so many calls have been answered, and then once more from the beginning.
   *
   * @returns `died`: whether it ever got that far; `wasSafe`: whether all that signers had was valid at each call
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
    ['the first of all', undefined, []],
    ['one of few', list(A), ['a']],
    ['one of many', list(A, B, C, D), ['a', 'b']],
  ])('a rotation, %s, harms nobody, and is brought to its end by doing it again', async (_, before, left) => {
    let answered = 0;
    for (let died = true; died; answered++) {
      const keys = await setUpKeys({ edge: before, signers: before });
      const end = await dieAfter(answered, keys, keys.rotate);
      died = end.died;
      expect(end.wasSafe).toBe(true);
      // Whoever made the first one may have left another one at the edge: nobody knows whose, so that it counts as an old one.
      const old = before === undefined ? idsOf(keys.secret.current()).slice(1) : left;
      expect(idsOf(keys.secret.current())).toEqual([isNew, ...old]);
      expect(keys.store.current()).toBe(keys.secret.current());
    }
    expect(answered).toBeGreaterThan(10);
  });

  it.each(['a', 'b', 'c'])(
    'a revocation, of %s, harms nobody, and is brought to its end by doing it again',
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
