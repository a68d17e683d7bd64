import { z } from 'zod';

import { ApprovalPolicy } from '../contracts/approval-policy.ts';
import { EntityType, Role } from '../contracts/principal.ts';
import { RecipeName } from '../contracts/recipe-workflow.ts';
import { Duration } from '../contracts/time.ts';

/** The tools of Switchboard's own extension. */
export const SWITCHBOARD_TOOLS = [
  'send_task',
  'request_approval',
  'notify',
  'fetch_status',
  'list_tasks',
  'claim_task',
  'report_progress',
  'complete_task',
  'fail_task',
  'decline_task',
  'handoff_task',
  'cancel_task',
  'retry_task',
  'list_approvals',
  'decide_approval',
  'revise_approval',
  'redeem_approval',
  'open_session',
  'join_session',
  'handoff_session',
  'read_context',
  'write_context',
  'update_session',
] as const;

/** Name of that extension in a profile. */
export const SWITCHBOARD_EXTENSION = 'switchboard';

const Name = z.string().min(1).max(100);
const Prose = z.string().min(1).max(8_000);
const CRON_PART = String.raw`(?:\*|\w+(?:-\w+)?)(?:/\d+)?`;
const CRON_FIELD = `${CRON_PART}(?:,${CRON_PART})*`;
const Cron = z
  .string()
  .regex(new RegExp(`^${CRON_FIELD}(?: ${CRON_FIELD}){4}$`), 'is not a cron schedule of five fields');

const Model = z.strictObject({
  provider: Name.describe('e.g. anthropic'),
  model: Name.describe('Name of the model at the provider'),
  temperature: z.number().min(0).max(1).optional(),
});

const Providers = z
  .strictObject({
    primary: Model.describe('Leads a conversation'),
    planner: Model.optional().describe('Makes plans, where not the primary'),
    worker: Model.optional().describe('Does the simple steps'),
    fallbacks: z.array(Model).max(5).default([]).describe('Tried in turn where the primary fails'),
    allowed_providers: z.array(Name).min(1),
    forbidden_providers: z.array(Name).default([]),
    daily_cost_limit_usd: z.number().positive().optional().describe('Most that all models together may cost a day'),
  })
  .superRefine(({ primary, planner, worker, fallbacks, allowed_providers, forbidden_providers }, context) => {
    const models = Object.entries({ primary, planner, worker }).map(([key, model]) => ({ path: [key], model }));
    const all = [...models, ...fallbacks.map((model, at) => ({ path: ['fallbacks', at], model }))];
    for (const { path, model } of all) {
      const provider = model?.provider;
      if (!provider || (allowed_providers.includes(provider) && !forbidden_providers.includes(provider))) continue;
      context.addIssue({
        code: 'custom',
        path: [...path, 'provider'],
        message: `is not an allowed provider: ${provider}`,
      });
    }
  });

const Scalar = z.union([z.string().max(1_000), z.number(), z.boolean()]);
const EnvironmentName = z.string().regex(/^[A-Z][A-Z0-9_]{0,99}$/, 'is not the name of an environment variable');

const Launch = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('builtin') }),
  z.strictObject({
    type: z.literal('stdio'),
    command: Name,
    args: z.array(z.string().max(500)).default([]),
    env_keys: z.array(EnvironmentName).default([]).describe('Variables that the person provides, e.g. tokens'),
  }),
  z.strictObject({
    type: z.literal('http'),
    url: z.url({ protocol: /^https?$/, error: 'must be an http or https address' }),
    token_key: EnvironmentName.optional().describe('Variable with the bearer token that the person provides'),
  }),
]);

const Extension = z
  .strictObject({
    name: Name,
    enabled: z.boolean().default(true),
    tools: z.array(Name).optional().describe('The tools allowed; all where it is not given'),
    preferences: z.record(Name, Scalar).optional().describe('Settings of the extension'),
    launch: Launch.optional().describe('How a client starts it; not for what every client has built in'),
  })
  .superRefine(({ name, tools = [] }, context) => {
    const known: readonly string[] = SWITCHBOARD_TOOLS;
    const wrong = name === SWITCHBOARD_EXTENSION ? tools.filter((tool) => !known.includes(tool)) : [];
    for (const tool of wrong) context.addIssue({ code: 'custom', path: ['tools'], message: `has no tool ${tool}` });
  });

const Templates = z.strictObject({
  global: Prose,
  local_templates: z.array(z.strictObject({ path: Name, content: Prose })).default([]),
});

const Timezone = z.string().refine((name) => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}, 'is not the IANA name of a time zone, e.g. Europe/Berlin');

const Recipe = z.strictObject({
  name: RecipeName,
  description: Prose,
  path: Name.regex(/^[\w-]+(\/[\w-]+)*\.ya?ml$/, 'is not a relative path to a YAML file'),
  schedule: Cron.describe('Minute, hour, day of month, month, day of week'),
  timezone: Timezone.default('UTC').describe('IANA name of the time zone that the schedule is read in'),
  complete_within: Duration.default('1d').describe('A run that takes longer is given up'),
  enabled: z.boolean().default(true),
});

const AutomatedTask = z.strictObject({
  name: Name,
  recipe: Name.describe('Name of one of the recipes'),
  schedule: Cron,
  enabled: z.boolean().default(true),
  notify_on_failure: z.boolean().default(true).describe('Whether the role is told when it fails'),
});

const PrivacyRule = z.strictObject({
  pattern: z
    .string()
    .min(1)
    .max(500)
    .superRefine((pattern, context) => {
      try {
        new RegExp(pattern, 'u');
      } catch (error) {
        context.addIssue({ code: 'custom', message: `is not a regular expression: ${(error as Error).message}` });
      }
    })
    .describe('Regular expression of ECMAScript, with Unicode'),
  replacement: z.string().min(1).max(100),
  category: Name.optional(),
});

const rule = {
  conditions: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())])).optional(),
  reason: Prose.optional(),
};
const PolicyRule = z.union(
  [
    z.strictObject({ allow_tool: Name, ...rule }),
    z.strictObject({ deny_tool: Name, ...rule }),
    z.strictObject({ allow_data: Name, ...rule }),
    z.strictObject({ deny_data: Name, ...rule }),
  ],
  'needs one of allow_tool, deny_tool, allow_data, deny_data, and may have conditions and reason',
);

const Privacy = z.strictObject({
  mode: z.enum(['rules', 'ner', 'hybrid']).describe('How personal values are found'),
  content_handling: z.enum(['off', 'detect', 'mask', 'block']).default('mask').describe('What is done with them'),
  strictness: z.enum(['strict', 'moderate', 'permissive']),
  allow_override: z.boolean().describe('Whether the user may send something unmasked'),
  local_only: z.boolean().default(false).describe('Only models on own machines'),
  clearance: z.array(EntityType).describe('Kinds of personal value that the role sees in clear'),
  rules: z.array(PrivacyRule).max(100).default([]).describe('Patterns of the role, beyond what is always found'),
  pii_categories: z.array(Name).default([]).describe('Kinds of personal data that the role meets in its work'),
  retention_days: z.number().int().min(0).max(3_650).describe('0: nothing is kept after the session'),
});

const Approvals = z.strictObject({
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, 'is not a currency code such as USD')
    .default('USD'),
  limit: z.number().min(0).describe('Largest amount that the role approves, or spends without an approval'),
  policies: z.record(Name, ApprovalPolicy).default({}).describe('Policies that an approval request may name'),
});

/** What a role's agents are given and held to. Fields of older profiles keep their names. */
export const Profile = z
  .strictObject({
    role: Role,
    display_name: Name,
    description: Prose,
    skills: z.array(Name).describe('What its agents can be asked for'),
    providers: Providers,
    extensions: z.array(Extension),
    goosehints: Templates.describe('Instructions for every conversation'),
    gooseignore: Templates.describe('Files that agents never read'),
    recipes: z.array(Recipe).default([]),
    automated_tasks: z.array(AutomatedTask).default([]),
    policies: z.array(PolicyRule).default([]),
    privacy: Privacy,
    approvals: Approvals,
    env_vars: z.record(EnvironmentName, z.string().max(1_000)).default({}).describe('Settings of clients; no secrets'),
  })
  .superRefine(({ recipes, automated_tasks }, context) => {
    for (const [at, { recipe }] of automated_tasks.entries()) {
      if (recipes.some(({ name }) => name === recipe)) continue;
      context.addIssue({
        code: 'custom',
        path: ['automated_tasks', at, 'recipe'],
        message: `is none of the recipes: ${recipe}`,
      });
    }
  });
export type Profile = z.output<typeof Profile>;
