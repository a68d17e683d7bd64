import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

// A fresh validator each time: it keeps what it compiles for ever, and these schemas come from callers.
function validator(): Ajv2020 {
  const ajv = new Ajv2020({ strict: false, allErrors: false, addUsedSchema: false, logger: false });
  addFormats.default(ajv);
  return ajv;
}

/** What of a value does not fit a JSON Schema, in words; undefined where it fits or there is no schema. */
export function schemaFaults(schema: unknown, value: unknown): string | undefined {
  if (typeof schema !== 'object' || schema === null) return undefined;
  const ajv = validator();
  if (ajv.validate(schema, value)) return undefined;
  return ajv.errorsText(ajv.errors, { dataVar: 'value', separator: '; ' });
}

/** Why something is no JSON Schema; undefined where it is one. */
export function notASchema(schema: Record<string, unknown>): string | undefined {
  try {
    validator().compile(schema);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : 'is not a JSON Schema';
  }
}
