import fc, { type Arbitrary } from 'fast-check';
import type { OpenApiDocument, Schema } from '../../../src/http/openapi/openapi.ts';
import { createDocumentCheck } from './openapi-document.ts';

/** In entries: bounds are tested elsewhere, and long lists only take time. */
const MAX_ENTRIES = 4;

/** Returns what makes values that a schema of a document allows. */
export function createArbitraries(
  document: Pick<OpenApiDocument, 'components'>,
): (schema: Schema) => Arbitrary<unknown> {
  const { errorsOf } = createDocumentCheck(document);

  function resolve(schema: Schema): Schema {
    const name =
      String(schema['$ref'] ?? '')
        .split('/')
        .at(-1) ?? '';
    return document.components.schemas[name] ?? schema;
  }

  function build(unresolved: Schema): Arbitrary<unknown> {
    const schema = resolve(unresolved);
    if ('const' in schema) return fc.constant(schema['const']);
    if ('enum' in schema) return fc.constantFrom(...(schema['enum'] as unknown[]));
    const choices = (schema['anyOf'] ?? schema['oneOf']) as Schema[] | undefined;
    return choices ? fc.oneof(...choices.map(build)) : ofType(schema);
  }

  function ofType(schema: Schema): Arbitrary<unknown> {
    const { type, items, minItems = 0 } = schema as Record<string, never>;
    switch (type as string | undefined) {
      case 'string':
        return text(schema);
      case 'integer':
        return integer(schema);
      case 'array':
        return fc.array(build(items ?? {}), {
          minLength: minItems,
          maxLength: Math.max(minItems, MAX_ENTRIES),
        });
      case 'object':
        return object(schema);
      case 'null':
        return fc.constant(null);
      case 'boolean':
        return fc.boolean();
      default:
        return fc.jsonValue();
    }
  }

  function object(schema: Schema): Arbitrary<unknown> {
    const {
      properties = {},
      required = [],
      additionalProperties,
      minProperties = 0,
    } = schema as {
      properties?: Record<string, Schema>;
      required?: string[];
      additionalProperties?: Schema | false;
      minProperties?: number;
    };
    if (Object.keys(properties).length === 0) {
      const limits = { minKeys: minProperties, maxKeys: MAX_ENTRIES };
      return fc.dictionary(fc.string({ maxLength: 10 }), build(additionalProperties || {}), limits);
    }
    const named = Object.entries(properties).map(([name, property]) => [name, build(property)]);
    return fc.record(Object.fromEntries(named), { requiredKeys: required as never[] });
  }

  // What the parts do not say, such as `not`, the whole schema does.
  return (schema) => build(schema).filter((value) => errorsOf(schema, value).length === 0);
}

function text({
  pattern,
  minLength = 0,
}: Schema & { pattern?: string; minLength?: number }): Arbitrary<string> {
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern, 'u'));
  return fc.string({ minLength, maxLength: minLength + 40, unit: 'grapheme' });
}

function integer({ minimum, maximum, exclusiveMaximum }: { [bound: string]: unknown }): Arbitrary<number> {
  const max = exclusiveMaximum === undefined ? maximum : Number(exclusiveMaximum) - 1;
  const range = {
    min: Number(minimum ?? Number.MIN_SAFE_INTEGER),
    max: Number(max ?? Number.MAX_SAFE_INTEGER),
  };
  const near = { min: range.min, max: Math.min(range.max, range.min + 2000) };
  return fc
    .oneof(fc.maxSafeInteger(), fc.integer(near))
    .filter((each) => each >= range.min && each <= range.max);
}
