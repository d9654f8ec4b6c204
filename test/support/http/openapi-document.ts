import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import {
  METHODS,
  type Method,
  type OpenApiDocument,
  type Operation,
  type PathItem,
  type Schema,
} from '../../../src/http/openapi/openapi.ts';

/** An operation and where it is. */
export interface DocumentedOperation {
  path: string;
  method: Method;
  operation: Operation;
}

/** The operations of some paths, one after the other. */
export function operationsOf(items: Readonly<Record<string, PathItem>>): DocumentedOperation[] {
  return Object.entries(items).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation ? [{ path, method, operation }] : [];
    }),
  );
}

/** What checks values by the schemas of a document. It throws if a schema is none, or has a keyword or format that JSON Schema does not know. */
export interface DocumentCheck {
  /** Returns what is wrong with a value, in words. */
  errorsOf(schema: Schema, value: unknown): string[];
  /** The same; members that the schema does not name are wrong as well. */
  strictErrorsOf(schema: Schema, value: unknown): string[];
}

/** Creates the check of values by a document's schemas. */
export function createDocumentCheck({ components }: Pick<OpenApiDocument, 'components'>): DocumentCheck {
  const open = createValidation(components.schemas);
  const closed = createValidation(closeObjects(components.schemas) as Record<string, Schema>);
  return {
    errorsOf: open,
    strictErrorsOf: (schema, value) => closed(closeObjects(schema) as Schema, value),
  };
}

function createValidation(schemas: Readonly<Record<string, Schema>>) {
  const ajv = new Ajv2020({ allErrors: true, strict: true, strictRequired: false, strictTypes: false });
  addFormats.default(ajv);
  ajv.addSchema({ $id: 'document', components: { schemas } }, undefined, false);
  ajv.addKeyword('components');
  const compiled = new Map<string, ReturnType<typeof ajv.compile>>();
  return (schema: Schema, value: unknown): string[] => {
    const text = JSON.stringify(schema).replaceAll('"#/components', '"document#/components');
    const validate = compiled.get(text) ?? ajv.compile(JSON.parse(text));
    compiled.set(text, validate);
    return validate(value) ? [] : (validate.errors ?? []).map(inWords);
  };
}

function inWords({ instancePath, message, params }: ErrorObject): string {
  return `${instancePath || 'it'} ${message} ${JSON.stringify(params)}`;
}

/** Returns schemas whose objects may have no members that they do not name. An object that `allOf` refines is closed as a whole. */
function closeObjects(schema: unknown, isPart = false): unknown {
  if (Array.isArray(schema)) return schema.map((each) => closeObjects(each, isPart));
  if (typeof schema !== 'object' || schema === null) return schema;
  const closed = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [key, closeObjects(value, key === 'allOf')]),
  );
  const isObject =
    'properties' in closed && closed['type'] === 'object' && !('additionalProperties' in closed);
  return isObject && !isPart ? { ...closed, unevaluatedProperties: false } : closed;
}
