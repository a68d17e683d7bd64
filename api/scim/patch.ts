import { scimPatch, ScimError } from 'scim-patch';
import type { ScimPatchOperation, ScimResource } from 'scim-patch';
import { z } from 'zod';

import { ScimRefusal } from './error.ts';
import { ENTERPRISE } from './schemas.ts';

/** A patch as it comes: Entra ID writes `Add`, `Replace` and `Remove`. */
export const PatchInput = z.looseObject({
  Operations: z
    .array(
      z.looseObject({
        op: z
          .string()
          .transform((op) => op.toLowerCase())
          .pipe(z.enum(['add', 'replace', 'remove'])),
        path: z.string().max(500).nullish(),
        value: z.unknown().optional(),
      }),
    )
    .min(1)
    .max(1_000),
});
type Step = z.infer<typeof PatchInput>['Operations'][number];

// Names that reach behind an object, and not into it.
const FORBIDDEN = /__proto__|prototype|constructor/i;

function checkNames(step: Step): void {
  if (FORBIDDEN.test(step.path ?? '') || FORBIDDEN.test(JSON.stringify(step.value ?? null).slice(0, 100_000)))
    throw new ScimRefusal(400, 'The patch names an attribute that does not exist.', 'invalidPath');
}

/** One step for each attribute, where a step names none and carries an object of them. */
function withPaths(step: Step): Step[] {
  if (step.path !== null && step.path !== undefined && step.path !== '') return [step];
  const { value } = step;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ScimRefusal(400, 'A step without path needs an object as its value.', 'noTarget');
  return entriesOf(value).flatMap(([path, inner]) => {
    // An extension as a whole: its attributes are patched one by one, so that the others stay.
    if (path === ENTERPRISE && typeof inner === 'object' && inner !== null)
      return entriesOf(inner).map(([name, one]) => ({ ...step, path: `${ENTERPRISE}:${name}`, value: one }));
    return [{ ...step, path, value: inner }];
  });
}

const entriesOf = (value: object): [string, unknown][] => Object.entries(value as Record<string, unknown>);

/** Entra ID names a manager by its id alone. */
function withManager(step: Step): Step {
  const isManager = step.path?.toLowerCase() === `${ENTERPRISE}:manager`.toLowerCase();
  return isManager && typeof step.value === 'string' ? { ...step, value: { value: step.value } } : step;
}

/** Attribute names are not case-sensitive (RFC 7643, section 2.1), but the library's are. */
function withCase(step: Step, known: readonly string[]): Step {
  const path = step.path ?? '';
  const same = known.find((name) => path.toLowerCase() === name.toLowerCase());
  return same === undefined ? step : { ...step, path: same };
}

const ATTRIBUTES = ['userName', 'externalId', 'displayName', 'title', 'locale', 'active', 'emails', 'members', 'name'];

/** The steps of a patch in the form that the library takes. */
export const stepsOf = (input: z.infer<typeof PatchInput>): Step[] =>
  input.Operations.flatMap((step) => {
    checkNames(step);
    return withPaths(step).map((one) => withManager(withCase(one, ATTRIBUTES)));
  });

/** A resource with a patch applied to a copy of it. */
export function patched<R extends object>(resource: R, input: z.infer<typeof PatchInput>): R {
  try {
    return scimPatch(structuredClone(resource) as unknown as ScimResource, stepsOf(input) as ScimPatchOperation[], {
      mutateDocument: true,
      treatMissingAsAdd: true,
    }) as unknown as R;
  } catch (error) {
    if (error instanceof ScimRefusal) throw error;
    if (error instanceof ScimError) throw new ScimRefusal(400, error.message, 'invalidPath');
    if (error instanceof Error)
      throw new ScimRefusal(400, 'The patch cannot be applied to this resource.', 'invalidPath');
    throw error;
  }
}
