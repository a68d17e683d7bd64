import { readFileSync } from 'node:fs';
import path from 'node:path';

import { parseDocument } from 'yaml';
import { z } from 'zod';

import { JsonMap } from '../contracts/json.ts';
import type { Role } from '../contracts/principal.ts';
import type { Profile } from './profile-schema.ts';
import { ProfileFaults } from './profiles.ts';

const Text = z.string().min(1).max(20_000);

const Parameter = z.strictObject({
  key: z.string().regex(/^[a-z][a-z0-9_]*$/, 'must be lower-case letters, digits and underscores'),
  input_type: z.enum(['string', 'number', 'boolean', 'date', 'file', 'select']),
  requirement: z.enum(['required', 'optional', 'user_prompt']),
  description: Text,
  default: z.union([z.string(), z.number(), z.boolean()]).optional(),
  options: z.array(z.string()).optional(),
});

/**
 * A recipe file of goose (https://block.github.io/goose/docs/guides/recipes/recipe-reference), as far as one that runs
 * by itself needs: whoever runs it brings the extensions of its profile, and nobody is there to be asked.
 */
export const GooseRecipe = z
  .strictObject({
    version: z.string().regex(/^\d+\.\d+\.\d+$/, 'must be a semantic version'),
    title: z.string().min(1).max(100),
    description: Text,
    instructions: Text.optional(),
    prompt: Text.describe('What the agent is told; needed, since nobody types'),
    parameters: z.array(Parameter).default([]),
    response: z.strictObject({ json_schema: JsonMap }).optional(),
    settings: z.strictObject({ temperature: z.number().min(0).max(1).optional() }).optional(),
  })
  .superRefine(({ parameters, prompt, instructions = '' }, context) => {
    const used = new Set([...(prompt + instructions).matchAll(/\{\{\s*(\w+)\s*\}\}/g)].map(([, key]) => key));
    for (const key of used)
      if (!parameters.some((one) => one.key === key))
        context.addIssue({
          code: 'custom',
          path: ['parameters'],
          message: `says nothing of ${key ?? ''}, which is used`,
        });
    for (const [at, { key, requirement }] of parameters.entries()) {
      const path = ['parameters', at];
      if (!used.has(key)) context.addIssue({ code: 'custom', path, message: `is not used: ${key}` });
      if (requirement === 'user_prompt')
        context.addIssue({ code: 'custom', path, message: 'asks a person, and nobody is there' });
      else if (requirement === 'required' && !GIVEN_PARAMETERS.includes(key))
        context.addIssue({
          code: 'custom',
          path,
          message: `is required, but a run gives only ${GIVEN_PARAMETERS.join(', ')}`,
        });
    }
  });
export type GooseRecipe = z.output<typeof GooseRecipe>;

/** Parameters that every run is given: its day and the name of its role. */
export const GIVEN_PARAMETERS: readonly string[] = ['as_of', 'role'];

/** Recipes by the path that profiles name them with. */
export type Recipes = ReadonlyMap<string, GooseRecipe>;

/** One entry of a profile's recipes. */
export type ProfileRecipe = Profile['recipes'][number];

function readRecipe(root: string, file: string): GooseRecipe | string[] {
  let text: string;
  try {
    text = readFileSync(path.join(root, file), 'utf8');
  } catch {
    return [`${file}: cannot be read`];
  }
  const document = parseDocument(text);
  const [broken] = document.errors;
  if (broken) return [`${file}: is not YAML: ${broken.message.split('\n')[0] ?? ''}`];
  const parsed = GooseRecipe.safeParse(document.toJS());
  if (parsed.success) return parsed.data;
  return parsed.error.issues.map(({ path: at, message }) => `${file}: ${at.join('.') || '(top)'}: ${message}`);
}

/** Reads the recipe files that profiles name, from the folder above theirs; throws ProfileFaults with every fault. */
export function loadRecipes(root: string, profiles: ReadonlyMap<Role, Profile>): Recipes {
  const files = [...new Set([...profiles.values()].flatMap(({ recipes }) => recipes.map((one) => one.path)))];
  const read = files.map((file) => [file, readRecipe(root, file)] as const);
  const faults = read.flatMap(([, recipe]) => (Array.isArray(recipe) ? recipe : []));
  if (faults.length > 0) throw new ProfileFaults(faults);
  return new Map(read.flatMap(([file, recipe]) => (Array.isArray(recipe) ? [] : [[file, recipe] as const])));
}
