import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseMultipart } from '../../src/http/pages/multipart.ts';

/** Reads a form as the platform's own client sends it. */
async function readForm(form: FormData) {
  const sent = new Response(form);
  const body = Buffer.from(await sent.arrayBuffer());
  return parseMultipart(body, sent.headers.get('content-type') ?? '');
}

it('Forms of browsers are read with every byte of their texts and files', async () => {
  await fc.assert(
    fc.asyncProperty(
      // Without half surrogates, which a form cannot have.
      fc.string({ unit: 'binary' }),
      fc.uint8Array({ maxLength: 2000 }),
      fc.constantFrom('a.csv', 'ü "x".json', 'a\r\n.csv'),
      async (text, bytes, fileName) => {
        const form = new FormData();
        form.set('text', text);
        form.set('file', new File([bytes], fileName, { type: 'text/csv' }));
        const parts = await readForm(form);
        // A form's line breaks are those of the web.
        const sentText = text.replace(/\r\n|\r|\n/g, '\r\n');
        expect(String(parts.get('text')?.content)).toBe(sentText);
        expect(parts.get('text')?.fileName).toBeUndefined();
        const file = parts.get('file');
        expect(Buffer.from(file?.content ?? []).equals(bytes)).toBe(true);
        expect(file?.contentType).toBe('text/csv');
        expect(file?.fileName?.startsWith(fileName.slice(0, 1))).toBe(true);
      },
    ),
  );
});

it.each([
  ['another type', 'text/plain', 'a=b'],
  ['no boundary', 'multipart/form-data', '--x--'],
  ['no end', 'multipart/form-data; boundary=x', '--x\r\ncontent-disposition: form-data; name="a"\r\n\r\nb'],
  ['no name', 'multipart/form-data; boundary=x', '--x\r\ncontent-disposition: form-data\r\n\r\nb\r\n--x--'],
  ['another boundary', 'multipart/form-data; boundary=y', '--x--\r\n'],
  ['nothing', 'multipart/form-data; boundary=y', ''],
])('A form with %s is refused', (_, type, body) => {
  expect(() => parseMultipart(Buffer.from(body), type)).toThrow('The form cannot be read');
});

it('A form without a chosen file has one with no name and no bytes', () => {
  const body =
    '--x\r\nContent-Disposition: form-data; name="file"; filename=""\r\nContent-Type: application/octet-stream\r\n\r\n\r\n--x--\r\n';
  const file = parseMultipart(Buffer.from(body), 'multipart/form-data; boundary=x').get('file');
  expect(file).toEqual({ content: Buffer.from(''), fileName: '', contentType: 'application/octet-stream' });
});

it('A boundary that stands in quotes, and what comes before the first one, are read', () => {
  const body = 'before\r\n--x y\r\nContent-Disposition: form-data; name="a"\r\n\r\n--x\r\n--x y--\r\nafter';
  const parts = parseMultipart(Buffer.from(body), 'multipart/form-data; boundary="x y"');
  expect([...parts].map(([name, { content }]) => [name, String(Buffer.from(content))])).toEqual([
    ['a', '--x'],
  ]);
});

it('A form may have a hundred parts, and no more', () => {
  const part = '--x\r\ncontent-disposition: form-data; name="a"\r\n\r\nb\r\n';
  const read = (count: number) =>
    parseMultipart(Buffer.from(`${part.repeat(count)}--x--`), 'multipart/form-data; boundary=x');
  expect(read(100).size).toBe(1);
  expect(() => read(101)).toThrow('The form cannot be read');
});
