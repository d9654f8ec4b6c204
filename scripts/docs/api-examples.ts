import type { MediaType, Method, Operation } from '../../src/http/openapi/openapi.ts';

/** Where `npm start` listens. */
const BASE = 'http://127.0.0.1:3000';

/** Returns the first example of a body; `undefined` if there is none. */
export function exampleOf(content: Readonly<Record<string, MediaType>> = {}): unknown {
  const [media] = Object.values(content);
  return media?.example ?? Object.values(media?.examples ?? {})[0]?.value;
}

/** Returns the command that sends an operation's own examples. */
export function renderCurl(path: string, method: Method, operation: Operation): string {
  const { parameters = [], requestBody, security, responses } = operation;
  const sent = parameters.filter(({ example }) => example !== undefined);
  const query = sent
    .filter((parameter) => parameter.in === 'query')
    .map(({ name, example }) => `${name}=${encodeURIComponent(String(example))}`);
  const target = sent.reduce((text, { name, example }) => text.replace(`{${name}}`, String(example)), path);
  const [type, body] = Object.entries(requestBody?.content ?? {})[0] ?? [];
  const example = exampleOf(body && { only: body });
  const isImage = Object.keys(responses[200]?.content ?? {}).some((each) => each.startsWith('image/'));
  return [
    `curl -s${isImage ? ' -o image.avif' : ''}`,
    method === 'delete' ? '-X DELETE' : '',
    security.length > 0 ? '-H "Authorization: Bearer $ADMIN_TOKEN"' : '',
    type === undefined ? '' : `-H 'Content-Type: ${type}'`,
    type === undefined
      ? ''
      : `--data-binary '${typeof example === 'string' ? example.trim() : JSON.stringify(example)}'`,
    `'${BASE}${target}${query.length > 0 ? `?${query.join('&')}` : ''}'`,
  ]
    .filter((part) => part !== '')
    .join(' ');
}
