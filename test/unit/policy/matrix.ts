import { schemaToJson } from '@cedar-policy/cedar-wasm/nodejs';

import { ENTITY_TYPES, ROLES } from '../../../contracts/principal.ts';
import type { EntityType, Principal, Role } from '../../../contracts/principal.ts';
import { modelLimits } from '../../../directory/model-limits.ts';
import { allowedTools, loadProfiles } from '../../../directory/profiles.ts';
import { ACTIONS } from '../../../policy/actions.ts';
import type { Action } from '../../../policy/actions.ts';
import { authorise } from '../../../policy/authorise.ts';
import { basePolicies } from '../../../policy/base.ts';
import { authoriseModelCall } from '../../../policy/models.ts';
import { RESOURCE_TYPES } from '../../../policy/request.ts';
import { RESOURCE_KINDS } from '../../../policy/resource.ts';
import type { Resource, ResourceKind } from '../../../policy/resource.ts';
import { TOOL_OF } from '../../../policy/tool-actions.ts';

const ORGANISATION = 'org_own';
const profiles = loadProfiles('profiles');

const KINDS: Readonly<Record<string, Partial<Principal>>> = {
  user: { kind: 'user', id: 'ada' },
  'agent of the role': { kind: 'agent', id: 'desk' },
  'agent of a user': { kind: 'agent', id: 'bot', acts_for: 'ada' },
  service: { kind: 'service', id: 'sync' },
  'service of provisioning': { kind: 'service', id: 'okta', scopes: ['directory:sync'] },
  administrator: { kind: 'user', id: 'root', administrator: true },
};

const someone = (kind: Partial<Principal>, role: Role): Principal => ({
  organisation_id: ORGANISATION,
  kind: 'user',
  id: 'nobody',
  name: 'nobody',
  role,
  acts_for: null,
  administrator: false,
  clearance: profiles.get(role)?.privacy.clearance ?? [],
  ...kind,
});

/** How a principal can stand to a resource, and what the resource then says of it. */
const RELATIONS: Readonly<Record<string, (who: Principal) => Partial<Resource>>> = {
  stranger: () => ({}),
  owner: (who) => ({ owners: [`${who.kind}:${who.id}`] }),
  'owner through the role': ({ role }) => ({ owners: [`role:${role}`] }),
  assignee: (who) => ({ assignees: [`${who.kind}:${who.id}`] }),
  'escalation manager': (who) => ({ managers: [`${who.kind}:${who.id}`] }),
  participant: (who) => ({ participants: [`${who.kind}:${who.id}`] }),
  reader: (who) => ({ readers: [`${who.kind}:${who.id}`] }),
  approver: (who) => ({ approvers: [`${who.kind}:${who.id}`] }),
  'approver where agents may decide': (who) => ({ approvers: [`${who.kind}:${who.id}`], agents_may_decide: true }),
  'approver of the own request': (who) => ({ owners: [`${who.kind}:${who.id}`], approvers: [`role:${who.role}`] }),
  'of its role': ({ role }) => ({ target_role: role }),
};

/** What each action can be asked about, as the schema says. */
function askedAbout(): Map<Action, ResourceKind[]> {
  const schema = schemaToJson(basePolicies().schema);
  if (schema.type === 'failure') throw new Error(schema.errors.map(({ message }) => message).join());
  const actions = schema.json['']?.actions ?? {};
  return new Map(
    ACTIONS.map((action) => {
      const types = actions[action]?.appliesTo?.resourceTypes ?? [];
      return [action, RESOURCE_KINDS.filter((kind) => types.includes(RESOURCE_TYPES[kind]))];
    }),
  );
}

function relationsThatAllow(kind: Partial<Principal>, role: Role, action: Action, what: ResourceKind): string {
  const who = someone(kind, role);
  const relations = Object.entries(RELATIONS).filter(([name]) => what === 'approval' || !name.startsWith('approver'));
  const allowed = relations
    .filter(
      ([, related]) => authorise(who, action, { kind: what, organisation_id: ORGANISATION, ...related(who) }).allow,
    )
    .map(([name]) => name);
  if (allowed.length === relations.length) return 'always';
  return allowed.length === 0 ? '–' : allowed.join(', ');
}

/** One cell: what all roles have in common, or what each has where they differ. */
function cell(kind: Partial<Principal>, action: Action, what: ResourceKind): string {
  const byRole = ROLES.map((role) => [role, relationsThatAllow(kind, role, action, what)] as const);
  const [first] = byRole;
  const common = first?.[1] ?? '';
  if (byRole.every(([, text]) => text === common)) return common;
  return byRole.map(([role, text]) => `${role}: ${text}`).join('; ');
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');

function actionsTable(): string {
  const rows = [...askedAbout()].flatMap(([action, kinds]) =>
    kinds
      .filter((what) => what !== 'model')
      .map((what) => [action, what, ...Object.values(KINDS).map((kind) => cell(kind, action, what))]),
  );
  return table(['Action', 'On', ...Object.keys(KINDS)], rows);
}

function toolsTable(): string {
  const rows = Object.entries(TOOL_OF).map(([action, tool]) => {
    const cells = ROLES.map((role) => {
      const profile = profiles.get(role);
      return profile && allowedTools(profile).includes(tool) ? 'yes' : '–';
    });
    return [action, tool, ...cells];
  });
  return table(['Action', 'Tool', ...ROLES], rows);
}

function clearTable(): string {
  const rows = ENTITY_TYPES.map((type) => {
    const cells = ROLES.map((role) => {
      const resource: Resource = { kind: 'organisation', organisation_id: ORGANISATION, data_classes: [type] };
      return authorise(someone({ administrator: true }, role), 'privacy:unmask', resource).allow ? 'yes' : '–';
    });
    return [type, ...cells];
  });
  return table(['Kind of value', ...ROLES], rows);
}

const MODELS = [
  { provider: 'anthropic', model: 'claude-sonnet-4-5', local: false },
  { provider: 'openai', model: 'gpt-5', local: false },
  { provider: 'openrouter', model: 'any', local: false },
  { provider: 'ollama', model: 'llama3.2', local: true },
] as const;
const DATA: readonly (readonly EntityType[])[] = [[], ['email'], ['iban', 'card'], ['ssn']];

function modelsTable(): string {
  const rows = MODELS.flatMap((model) =>
    DATA.map((data_classes) => {
      const cells = ROLES.map((role) => {
        const profile = profiles.get(role);
        if (!profile) return '';
        const choice = { ...model, data_classes };
        const { allow, policies } = authoriseModelCall(someone({ kind: 'agent' }, role), choice, modelLimits(profile));
        return allow ? 'yes' : policies.join(', ') || 'not permitted';
      });
      const where = model.local ? 'own machine' : 'elsewhere';
      return [`${model.provider} (${where})`, data_classes.join(', ') || 'none', ...cells];
    }),
  );
  return table(['Provider', 'Data in clear', ...ROLES], rows);
}

/** Every decision as a table, so that a change of a policy or a profile shows as a difference. */
export const renderMatrix = (): string => `# What policy decides

Computed from the policies and profiles of the release by \`npm run generate\`; a test compares it.

## Actions

Which relations to the resource allow the action, by kind of principal. It is the same for all eight roles unless a cell
names them. Nothing is allowed across organisations.

${actionsTable()}

## Tools

Agents need the tool of an action besides; people do not.

${toolsTable()}

## Values in clear

What \`privacy:unmask\` shows each role, administrators included.

${clearTable()}

## Models

What an agent of each role may send where, and which policies say no. Data in clear is what the guard left unmasked.

${modelsTable()}
`;
