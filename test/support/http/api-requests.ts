import fc, { type Arbitrary } from 'fast-check';
import type { OpenApiDocument, Operation, Parameter } from '../../../src/http/openapi/openapi.ts';
import { createArbitraries } from './arbitrary-of-schema.ts';
import type { DocumentedOperation } from './openapi-document.ts';

/** A request, as it is sent. */
export interface ApiRequest {
  method: string;
  /** Path and query. */
  target: string;
  headers: Readonly<Record<string, string>>;
  body: string | undefined;
}

export interface RequestOptions {
  document: OpenApiDocument;
  token: string;
  /** Other values of a parameter than its schema would give, by its name. */
  values?: Readonly<Record<string, Arbitrary<string>>>;
}

/** Returns what makes requests for an operation as its document says. */
export function validRequests(
  { path, method, operation }: DocumentedOperation,
  { document, token, values = {} }: RequestOptions,
): Arbitrary<ApiRequest> {
  const arbitraryOf = createArbitraries(document);
  const all = operation.parameters ?? [];
  const required = all.filter((parameter) => parameter.required).map(({ name }) => name);
  const sent = Object.fromEntries(
    all.map(({ name, schema }) => [name, values[name] ?? arbitraryOf(schema).map(String)]),
  );
  const needsToken = operation.security.length > 0;
  return fc
    .tuple(fc.record(sent, { requiredKeys: required }), bodies(operation, arbitraryOf))
    .map(([parameters, { type, body }]) => ({
      ...{ method: method.toUpperCase(), target: targetOf(path, all, parameters), body },
      headers: {
        ...headersOf(all, parameters),
        ...(type !== undefined && { 'content-type': type }),
        ...(needsToken && { authorization: `Bearer ${token}` }),
      },
    }));
}

function bodies({ requestBody }: Operation, arbitraryOf: ReturnType<typeof createArbitraries>) {
  if (!requestBody) return fc.constant({ type: undefined, body: undefined });
  const kinds = Object.entries(requestBody.content).map(([type, { schema = {}, example }]) =>
    type === 'application/json'
      ? arbitraryOf(schema).map((value) => ({ type, body: JSON.stringify(value) }))
      : fc.constant({ type, body: String(example) }),
  );
  return fc.oneof(...kinds);
}

function targetOf(path: string, all: readonly Parameter[], values: Readonly<Record<string, string>>): string {
  const query = all
    .filter((parameter) => parameter.in === 'query' && values[parameter.name] !== undefined)
    .map(({ name }) => `${name}=${encodeURIComponent(values[name] ?? '')}`);
  const filled = path.replace(/\{(\w+)\}/g, (_all, name) => values[name] ?? '');
  return query.length === 0 ? filled : `${filled}?${query.join('&')}`;
}

function headersOf(
  all: readonly Parameter[],
  values: Readonly<Record<string, string>>,
): Record<string, string> {
  const sent = all.filter((parameter) => parameter.in === 'header' && values[parameter.name] !== undefined);
  return Object.fromEntries(sent.map(({ name }) => [name, headerText(values[name] ?? '')]));
}

/** Returns what a header can have of a text. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '').trim();
}

/** Any text that can be in a request target. */
const targetText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }).map((text) => encodeURIComponent(text)),
  fc.stringMatching(/^[!-~]{0,20}$/),
  fc.constantFrom(
    '%',
    '%zz',
    '%00',
    '%ff',
    '.',
    '..',
    '%2e%2e',
    '',
    'a'.repeat(7000),
    '+',
    '&',
    '=',
    '&&',
    '?',
  ),
);

/** Changes a valid request: most results are not valid any more. */
export function mutated(request: Arbitrary<ApiRequest>): Arbitrary<ApiRequest> {
  const edits = fc.array(edit, { minLength: 1, maxLength: 3 });
  return fc.tuple(request, edits).map(([valid, all]) => {
    const changed = { ...valid };
    for (const change of all) Object.assign(changed, change(changed));
    return changed;
  });
}

type Edit = (request: ApiRequest) => Partial<ApiRequest>;

const edit: Arbitrary<Edit> = fc.oneof(
  fc.tuple(fc.nat(), targetText).map(
    ([at, text]): Edit =>
      ({ target }) =>
        editQuery(target, at, text),
  ),
  fc.tuple(fc.nat(), targetText).map(
    ([at, text]): Edit =>
      ({ target }) =>
        insert(target, at, text),
  ),
  fc.nat().map(
    (at): Edit =>
      ({ target }) => ({ target: withoutParameter(target, at) }),
  ),
  targetText.map(
    (text): Edit =>
      ({ target }) => ({ target: `${target}${target.includes('?') ? '&' : '?'}${text}` }),
  ),
  fc.tuple(fc.nat(), fc.nat({ max: 3 }), fc.string({ maxLength: 5 })).map(
    ([at, removed, text]): Edit =>
      ({ body = '' }) => {
        const from = at % (body.length + 1);
        return { body: body.slice(0, from) + text + body.slice(from + removed) };
      },
  ),
  fc
    .oneof(
      fc.jsonValue().map((value) => JSON.stringify(value)),
      fc.string(),
    )
    .map(
      (body): Edit =>
        () => ({ body }),
    ),
  header('authorization', ['', 'Bearer', 'Bearer wrong', 'Basic YTpi']),
  header('content-type', ['image/png', 'multipart/form-data', 'text/html', 'text/csv', 'nonsense']),
  header('content-encoding', ['br', 'gzip', 'zstd', 'identity']),
  header('range', ['bytes=0-0', 'bytes=-1', 'bytes=99999999-', 'bytes=1-0', 'lines=1', 'bytes=0-1,3-4']),
  header('if-none-match', ['*', '"a"', 'W/"a"', 'a']),
  header('accept', ['image/avif', 'image/webp;q=0', '*/*', ',;=', 'text/html']),
);

function header(name: string, values: readonly string[]): Arbitrary<Edit> {
  return fc.constantFrom(...values).map(
    (value): Edit =>
      ({ headers }) => ({ headers: { ...headers, [name]: value } }),
  );
}

/** Replaces the value of a parameter. */
function editQuery(target: string, at: number, text: string): Partial<ApiRequest> {
  const [path = '', query] = target.split(/\?(.*)/s);
  if (query === undefined) return { target: `${path}?${text}` };
  const pieces = query.split('&');
  const index = at % pieces.length;
  const name = (pieces[index] ?? '').split('=', 1)[0];
  return { target: `${path}?${pieces.with(index, `${name}=${text}`).join('&')}` };
}

function withoutParameter(target: string, at: number): string {
  const [path = '', query = ''] = target.split(/\?(.*)/s);
  const pieces = query.split('&');
  return `${path}?${pieces.toSpliced(at % pieces.length, 1).join('&')}`;
}

/** Inserts a text into the path, behind its first segment. */
function insert(target: string, at: number, text: string): Partial<ApiRequest> {
  const [path = '', query] = target.split(/\?(.*)/s);
  const first = path.indexOf('/', 1) + 1 || path.length;
  const from = first + (at % (path.length - first + 1));
  const edited = path.slice(0, from) + text.replace(/[?#]/g, '') + path.slice(from);
  return { target: query === undefined ? edited : `${edited}?${query}` };
}
