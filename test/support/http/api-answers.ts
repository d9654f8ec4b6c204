import { type Dispatcher, Pool } from 'undici';
import type { ApiResponse, OpenApiDocument, Operation } from '../../../src/http/openapi/openapi.ts';
import type { ApiRequest } from './api-requests.ts';
import { createDocumentCheck, operationsOf } from './openapi-document.ts';

export interface ApiAnswer {
  status: number;
  headers: Readonly<Record<string, string | undefined>>;
  body: Buffer;
}

export interface ApiClient {
  send(request: Pick<ApiRequest, 'method' | 'target' | 'headers' | 'body'>): Promise<ApiAnswer>;
  close(): Promise<void>;
}

/** A client that sends targets as they are. */
export function createApiClient(url: string): ApiClient {
  const pool = new Pool(url);
  return {
    async send({ method, target, headers, body }) {
      const request = { method: method as Dispatcher.HttpMethod, path: target, headers, body: body ?? null };
      const { statusCode, headers: sent, body: stream } = await pool.request(request);
      const own = Object.entries(sent).map(([name, value]) => [name, String(value)]);
      return {
        status: statusCode,
        headers: Object.fromEntries(own),
        body: Buffer.from(await stream.arrayBuffer()),
      };
    },
    close: () => pool.close(),
  };
}

/** Returns what checks an answer against the document: an empty list when all of it is as documented. */
export function createAnswerCheck(
  document: OpenApiDocument,
): (request: ApiRequest, answer: ApiAnswer) => string[] {
  const { strictErrorsOf } = createDocumentCheck(document);
  const operations = operationsOf(document.paths);

  /** The operation that a request is for: of paths that match, the one without parameters goes first. */
  function operationOf({ method, target }: ApiRequest): {
    operation?: Operation | undefined;
    isPath: boolean;
  } {
    const path = target.split('?', 1)[0] ?? '';
    const matching = operations.filter((each) => patternOf(each.path).test(path));
    const own = matching.filter((each) => each.method === method.toLowerCase());
    const exact = own.find((each) => each.path === path) ?? own[0];
    return { operation: exact?.operation, isPath: matching.length > 0 };
  }

  function refusalErrors({ method, target }: ApiRequest, answer: ApiAnswer, isPath: boolean): string[] {
    // Nobody learns without a token which routes of operators there are.
    const isWithoutToken = answer.status === 401 && /^\/(units|metrics)/.test(target);
    // It is refused before any route, since it is no path of a URL.
    const isMalformed = answer.status === 400 && /\\/.test(target);
    if (isMalformed) return [];
    const other = isPath ? ([405, 'method_not_allowed'] as const) : ([404, 'not_found'] as const);
    const [status, code] = isWithoutToken ? ([401, 'unauthorized'] as const) : other;
    const { headers, body } = answer;
    if (answer.status !== status) return [`${answer.status} where there is no operation`];
    if (method === 'HEAD') return [];
    if (headers['content-type'] !== 'application/problem+json')
      return [`the type ${headers['content-type']}`];
    const schema = { $ref: '#/components/schemas/Problem', properties: { code: { const: code } } };
    return strictErrorsOf(schema, JSON.parse(body.toString()));
  }

  function headerErrors(documented: ApiResponse, { headers }: ApiAnswer): string[] {
    return Object.entries(documented.headers ?? {}).flatMap(([name, { required, schema }]) => {
      const value = headers[name.toLowerCase()];
      if (value === undefined) return required ? [`there is no ${name}`] : [];
      const errors = strictErrorsOf(schema, schema['type'] === 'integer' ? Number(value) : value);
      return errors.map((each) => `${name}: ${each}`);
    });
  }

  function contentErrors({ content }: ApiResponse, { headers, body }: ApiAnswer): string[] {
    if (!content) return body.length > 0 ? ['there is a body'] : [];
    const type = headers['content-type']?.split(';', 1)[0] ?? '';
    const media = content[type];
    if (!media) return [`the type ${type} is not documented`];
    const value = type.endsWith('json') ? JSON.parse(body.toString()) : body.toString();
    return strictErrorsOf(media.schema ?? {}, value);
  }

  return (request, answer) => {
    const { operation, isPath } = operationOf(request);
    if (!operation) return refusalErrors(request, answer, isPath);
    const documented = operation.responses[answer.status];
    // There is no bug that an input may cause, though the document says how one would look.
    if (!documented || answer.status === 500) return [`the status ${answer.status}: ${answer.body}`];
    return [...headerErrors(documented, answer), ...contentErrors(documented, answer)];
  };
}

/** What is below `/u/` is an image URL, even where its unit is none. */
function patternOf(path: string): RegExp {
  const rest = path.startsWith('/u/') ? '.*' : '[^/]+';
  return new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\}/g, rest)}$`);
}
