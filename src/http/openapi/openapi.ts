// The parts of an OpenAPI 3.1 document that this service uses.

/** A JSON Schema 2020-12, as OpenAPI 3.1 has it. */
export type Schema = { readonly [keyword: string]: unknown };

export interface OpenApiDocument {
  openapi: '3.1.0';
  info: {
    title: string;
    version: string;
    description: string;
    license: { name: string; identifier: string };
  };
  servers: readonly { url: string }[];
  tags: readonly { name: string; description: string }[];
  paths: Readonly<Record<string, PathItem>>;
  webhooks?: Readonly<Record<string, PathItem>>;
  components: {
    schemas: Readonly<Record<string, Schema>>;
    securitySchemes?: Readonly<Record<string, object>>;
  };
}

export const METHODS = ['get', 'head', 'options', 'post', 'delete'] as const;
export type Method = (typeof METHODS)[number];
export type PathItem = { readonly [M in Method]?: Operation };

export interface Operation {
  operationId: string;
  tags: readonly string[];
  summary: string;
  description?: string;
  /** Empty: anyone may. */
  security: readonly Readonly<Record<string, readonly string[]>>[];
  parameters?: readonly Parameter[];
  requestBody?: { required: true; description?: string; content: Readonly<Record<string, MediaType>> };
  /** By status. */
  responses: Readonly<Record<string, ApiResponse>>;
}

export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required?: boolean;
  description: string;
  schema: Schema;
  example?: unknown;
}

export interface ApiResponse {
  description: string;
  headers?: Readonly<Record<string, ResponseHeader>>;
  content?: Readonly<Record<string, MediaType>>;
}

export interface ResponseHeader {
  description: string;
  required?: boolean;
  schema: Schema;
}

export interface MediaType {
  schema?: Schema;
  example?: unknown;
  examples?: Readonly<Record<string, { summary?: string; value: unknown }>>;
}

/** Returns a reference to a schema of the document. */
export function schemaRef(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}
