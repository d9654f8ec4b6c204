import packageJson from '../../../package.json' with { type: 'json' };
import type { Config } from '../../config.ts';
import { componentSchemas } from './components.ts';
import { imagePath } from './image-operations.ts';
import { type ApiResponse, METHODS, type OpenApiDocument, type Operation, type PathItem } from './openapi.ts';
import { OPERATION_PATHS } from './operation-paths.ts';
import { SECURITY_SCHEMES, UNIT_PATHS } from './unit-operations.ts';
import { WEBHOOKS } from './webhooks.ts';

/** What of a configuration its API depends on. */
export type ApiConfig = Pick<Config, 'adminToken' | 'signingKeys' | 'ladder' | 'publicUrl' | 'notify'>;

const DESCRIPTION = [
  'Compressed images for people on slow, expensive mobile data.',
  'Errors are problem documents (RFC 9457) with a stable `code`. A path without a route is `not_found`, a method that a route does not have `method_not_allowed` (405, with `Allow`).',
  'What is no valid HTTP is refused before any route, with 400, 408, 417 or 431 and the code `bad_request`.',
].join('\n\n');

/** Returns the OpenAPI document of the service that a configuration describes: with the routes that exist there, and no others. */
export function createOpenApiDocument(config: ApiConfig): OpenApiDocument {
  const { adminToken, signingKeys, ladder, publicUrl, notify } = config;
  const hasUnits = adminToken !== undefined;
  const hasWebhooks = notify.some(({ kind }) => kind === 'webhook');
  const image = imagePath({ isSigned: signingKeys.length > 0, ...ladder });
  const paths = { '/u/{unit}': image, ...(hasUnits && UNIT_PATHS), ...OPERATION_PATHS };
  return {
    openapi: '3.1.0',
    info: {
      title: 'edgepress',
      version: packageJson.version,
      description: DESCRIPTION,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    // A relative URL: where the document was found.
    servers: [{ url: publicUrl ?? '/' }],
    tags: [
      { name: 'Images', description: 'For apps and pages that show images.' },
      ...(hasUnits
        ? [{ name: 'Units', description: 'For operators: with `Authorization: Bearer {ADMIN_TOKEN}`.' }]
        : []),
      { name: 'Operation', description: 'For what runs and watches the service.' },
      ...(hasWebhooks
        ? [{ name: 'Webhooks', description: 'What the service sends to receivers in `NOTIFY`.' }]
        : []),
    ],
    paths: Object.fromEntries(Object.entries(paths).map(([path, item]) => [path, withHead(item)])),
    ...(hasWebhooks && { webhooks: WEBHOOKS }),
    components: {
      schemas: componentSchemas({ units: hasUnits, webhooks: hasWebhooks }),
      ...(hasUnits && { securitySchemes: SECURITY_SCHEMES }),
    },
  };
}

/** Whatever can be got has headers that can be asked for. */
function withHead(item: PathItem): PathItem {
  const { get } = item;
  if (!get) return item;
  const head = { ...get, operationId: `${get.operationId}Headers`, responses: withoutBodies(get) };
  const { description: _description, ...rest } = head;
  const withIt = { ...item, head: { ...rest, summary: `The headers of: ${get.summary}` } };
  return Object.fromEntries(METHODS.flatMap((method) => (withIt[method] ? [[method, withIt[method]]] : [])));
}

function withoutBodies({ responses }: Operation): Record<string, ApiResponse> {
  return Object.fromEntries(
    Object.entries(responses)
      // Only GET has ranges.
      .filter(([status]) => status !== '206' && status !== '416')
      .map(([status, { content: _content, ...response }]) => [status, response]),
  );
}
