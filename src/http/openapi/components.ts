import { z } from 'zod';
import { groupSchema, purgeSchema } from '../purge-units.ts';
import * as answers from './answer-schemas.ts';
import type { Schema } from './openapi.ts';
import { problemSchema } from './problem-responses.ts';
import { sentUnitSchema } from './unit-input.ts';

// The schemas of the document, by name.

const PUBLIC = { Problem: problemSchema, Health: answers.healthSchema, Readiness: answers.readinessSchema };

const OF_UNITS = {
  Unit: sentUnitSchema,
  IngestReport: answers.ingestReportSchema,
  IngestProblem: answers.ingestProblemSchema,
  UnitStatus: answers.unitStatusSchema,
  UnsentUnit: answers.unsentUnitSchema,
  AskedUnit: answers.askedUnitSchema,
  UnitPage: answers.unitPageSchema,
  PurgeUnits: purgeSchema,
  PurgeGroup: groupSchema,
  PurgedUnit: answers.purgeOfUnitSchema,
  PurgedUnits: answers.purgeOfUnitsSchema,
  PurgedGroup: answers.purgeOfGroupSchema,
};

const OF_WEBHOOKS = { CompletedEvent: answers.completedEventSchema, FailedEvent: answers.failedEventSchema };

export type SchemaName = keyof typeof PUBLIC | keyof typeof OF_UNITS | keyof typeof OF_WEBHOOKS;

/** Returns the schemas of the document: those of routes that do not exist are left out. */
export function componentSchemas(has: { units: boolean; webhooks: boolean }): Record<string, Schema> {
  const schemas = { ...PUBLIC, ...(has.units && OF_UNITS), ...(has.webhooks && OF_WEBHOOKS) };
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, toJsonSchema(schema)]));
}

/**
 * Returns the JSON Schema of what a zod schema takes. In answers, too, further members are not forbidden: later versions may add some.
 */
function toJsonSchema(schema: z.ZodType): Schema {
  const { $schema: _dialect, ...json } = z.toJSONSchema(schema, {
    io: 'input',
    override({ zodSchema, jsonSchema }) {
      // The bounds of a list are checked before its entries, which zod takes for two schemas.
      const { def } = zodSchema._zod;
      if (def.type === 'pipe' && def.out._zod.def.type === 'array') {
        const { items } = toJsonSchema(def.out as z.ZodType);
        Object.assign(jsonSchema, { items });
      }
      if (Object.keys((jsonSchema.propertyNames ?? {}) as object).join() === 'type')
        delete jsonSchema.propertyNames;
      // What a schema leaves out on purpose, although zod knows it: see `answer-schemas.ts`.
      for (const [keyword, value] of Object.entries(jsonSchema))
        if (value === undefined) delete jsonSchema[keyword];
    },
  });
  return json;
}
