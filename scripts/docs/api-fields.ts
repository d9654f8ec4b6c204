import type { Schema } from '../../src/http/openapi/openapi.ts';

/** Names of types that would say less if they were spelt out. */
const PATTERNS = [
  { has: '[A-Za-z0-9._~-]{1,128}', name: 'a [unit id](units.md#input)' },
  { has: '[Hh][Tt]', name: 'a URL' },
];

/** Returns what a schema allows, in a few words of Markdown. */
export function describeType(schema: Schema): string {
  const { $ref, type, enum: values, const: only, items, pattern, format } = schema as Record<string, unknown>;
  const choices = (schema['anyOf'] ?? schema['oneOf']) as readonly Schema[] | undefined;
  if ($ref !== undefined) return `[${String($ref).split('/').at(-1)}](#fields)`;
  if (choices) return [...new Set(choices.map(describeType))].filter((text) => text !== 'null').join(' or ');
  if (only !== undefined) return code(only);
  if (Array.isArray(values))
    return values.length > 10 ? 'one of [them](#errors)' : values.map(code).join(', ');
  if (type === 'array') return `list of ${describeType((items ?? {}) as Schema)}`;
  const named = PATTERNS.find(({ has }) => String(pattern ?? '').includes(has));
  if (named) return named.name;
  return format === 'date-time'
    ? 'time'
    : `${String(type ?? 'any').replace('string', 'text')}${boundsOf(schema)}`;
}

function code(value: unknown): string {
  return `\`${value}\``;
}

function boundsOf({ minimum, maximum, exclusiveMaximum }: Schema): string {
  if (exclusiveMaximum !== undefined) return ` below ${exclusiveMaximum}`;
  const isBounded = maximum !== undefined && maximum !== Number.MAX_SAFE_INTEGER;
  if (isBounded) return `, ${minimum} to ${maximum}`;
  return minimum === 1 ? ' ≥ 1' : '';
}

/** Returns the rows of a table of the fields that have a description: document, path, type, description. */
export function fieldRows(schemas: Readonly<Record<string, Schema>>): string[][] {
  // What several documents have in common is said once.
  const said = new Set<string>();
  return Object.entries(schemas).flatMap(([name, schema]) =>
    fieldsOf(schema, '').flatMap(({ path, schema: field, isOptional }) => {
      const { description } = field;
      const key = `${path.split('.').at(-1)} ${description}`;
      if (description === undefined || said.has(key)) return [];
      said.add(key);
      return [
        [`\`${name}\``, `\`${path}\`${isOptional ? '?' : ''}`, describeType(field), String(description)],
      ];
    }),
  );
}

interface Field {
  path: string;
  schema: Schema;
  isOptional: boolean;
}

function fieldsOf(schema: Schema, prefix: string): Field[] {
  const {
    properties = {},
    required = [],
    items,
  } = schema as {
    properties?: Record<string, Schema>;
    required?: string[];
    items?: Schema;
  };
  const choices = (schema['anyOf'] ?? schema['oneOf'] ?? []) as readonly Schema[];
  return [
    ...choices.flatMap((choice) => fieldsOf(choice, prefix)),
    ...(items ? fieldsOf(items, `${prefix}[]`) : []),
    ...Object.entries(properties).flatMap(([name, property]) => {
      const path = prefix === '' ? name : `${prefix}.${name}`;
      return [{ path, schema: property, isOptional: !required.includes(name) }, ...fieldsOf(property, path)];
    }),
  ];
}
