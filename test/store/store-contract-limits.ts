import { randomBytes, randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { ObjectInfo, VariantStore } from '../../src/store/store.ts';
import { AVIF, expectStored, freshKey } from '../support/store/stored.ts';

/** The tests of valid and invalid keys. */
export function describeKeys(store: () => VariantStore): void {
  const legal = {
    'of every legal character': 'ABCDEFGHIJKLMNOPQRSTUVWXYZ/abcdefghijklmnopqrstuvwxyz/0123456789/._~-',
    'with dots of its own': '.../..a/a../.a/a..b/.tmp2',
    'of 600 characters': `${'k'.repeat(128)}/${'u'.repeat(255)}/${'x'.repeat(210)}.avif`,
    'of many segments': Array.from({ length: 40 }, (_, index) => `s${index}`).join('/'),
    'that looks like a trailer': 'v1/free/edgeprs1',
  };
  test.each(Object.entries(legal))('a key %s is valid', async (_, tail) => {
    const key = `${randomUUID()}/${tail}`;
    const body = randomBytes(20);
    await store().put(key, body, AVIF);
    await expectStored(store(), key, body, AVIF);
    await store().delete([key]);
    expect(await store().head(key)).toBeUndefined();
  });

  const illegal = {
    'that is empty': '',
    'that goes up': '../x',
    'that goes up in the middle': 'a/../../x',
    'that ends above': 'a/..',
    'that starts with a dot segment': './x',
    'with a dot segment': 'a/./x',
    'that is absolute': '/etc/passwd',
    'with an empty segment': 'a//x',
    'that ends in a slash': 'a/',
    'with a backslash': 'a\\..\\x',
    'with a drive': 'C:/x',
    'with a NUL': 'a\0.avif',
    'with a line feed': 'a\n',
    'with an escape': 'a/%2e%2e/x',
    'with a space': 'a b',
    'beyond ASCII': 'ä',
    'in Chinese': 'a/写真',
    'with a colon': 'a/CON:',
    'in the folder for temp files': '.tmp/x',
    'in the folder for temp files, in upper case': '.TMP/x',
    'too long for S3': `${'a/'.repeat(512)}b`,
    'too long for a file': 'a'.repeat(256),
  };
  test.each(Object.entries(illegal))('a key %s throws a TypeError in every operation', async (_, key) => {
    await expect(store().put(key, randomBytes(1), AVIF)).rejects.toThrow(TypeError);
    await expect(store().get(key)).rejects.toThrow(TypeError);
    await expect(store().head(key)).rejects.toThrow(TypeError);
    await expect(store().delete([key])).rejects.toThrow(TypeError);
  });
}

/** The tests of valid and invalid metadata. */
export function describeInfo(store: () => VariantStore): void {
  const illegal: Record<string, Partial<ObjectInfo>> = {
    'a type with a line feed': { contentType: 'image/avif\nx: y' },
    'an empty type': { contentType: '' },
    'a cache control beyond ASCII': { cacheControl: 'é' },
    'metadata beyond ASCII': { metadata: { a: 'é' } },
    'metadata with an end of line': { metadata: { a: 'b\r\nc: d' } },
    'metadata that ends in space': { metadata: { a: 'b ' } },
    'a metadata name in upper case': { metadata: { Width: '1' } },
    'a metadata name with an underscore': { metadata: { source_bytes: '1' } },
    'a metadata name that is no header name': { metadata: { 'a:b': '1' } },
    'more metadata than S3 carries': { metadata: { a: 'x'.repeat(2048) } },
  };
  test.each(Object.entries(illegal))(
    'a put with %s throws a TypeError and stores nothing',
    async (_, part) => {
      const key = freshKey();
      await expect(store().put(key, randomBytes(1), { ...AVIF, ...part })).rejects.toThrow(TypeError);
      expect(await store().head(key)).toBeUndefined();
    },
  );

  test.each(['x', '"'])(
    'the most metadata that S3 carries is returned unchanged when it consists of %s',
    async (character) => {
      const key = freshKey();
      const info = { contentType: 'image/avif', metadata: { a: character.repeat(2047) } };
      await store().put(key, randomBytes(9000), info);
      expect((await store().head(key))?.metadata).toEqual(info.metadata);
      expect((await store().get(key))?.metadata).toEqual(info.metadata);
    },
  );
}
