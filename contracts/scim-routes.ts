import { z } from 'zod';

import type { PlainAnswer, PlainRoute } from './plain-route.ts';

const SCIM_TYPE = 'application/scim+json';
const ROOT = '/scim/v2';

const Resource = z.looseObject({
  schemas: z.array(z.string()),
  id: z.string(),
  meta: z.looseObject({ resourceType: z.string(), location: z.string() }),
});
const List = z.object({
  schemas: z.array(z.string()),
  totalResults: z.number(),
  startIndex: z.number(),
  itemsPerPage: z.number(),
  Resources: z.array(z.looseObject({})),
});
const Failure = z.object({
  schemas: z.tuple([z.literal('urn:ietf:params:scim:api:messages:2.0:Error')]),
  status: z.string(),
  scimType: z.string().optional(),
  detail: z.string(),
});
const UserBody = z.looseObject({
  userName: z.string().min(1).max(200),
  displayName: z.string().max(100).nullish(),
  active: z.boolean().optional(),
  emails: z.array(z.looseObject({ value: z.string().nullish() })).nullish(),
});
const GroupBody = z.looseObject({
  displayName: z.string().describe('The role; it cannot be changed'),
  members: z.array(z.looseObject({ value: z.string() })).optional(),
});
const PatchBody = z.looseObject({
  schemas: z.array(z.string()).optional(),
  Operations: z
    .array(z.looseObject({ op: z.string(), path: z.string().nullish(), value: z.unknown().optional() }))
    .min(1)
    .max(1_000),
});

const shown = {
  attributes: z.string().optional().describe('Attributes that are wanted, separated by commas'),
  excludedAttributes: z.string().optional().describe('Attributes that are not wanted'),
};
const paged = z.object({
  filter: z.string().optional().describe('RFC 7644, section 3.4.2.2'),
  startIndex: z
    .string()
    .regex(/^-?\d+$/)
    .optional()
    .describe('The first resource, from 1'),
  count: z
    .string()
    .regex(/^-?\d+$/)
    .optional()
    .describe('At most 200; 100 unless given'),
  ...shown,
});
const id = z.object({ id: z.string() });

const refusal = (status: number, description: string): PlainAnswer => ({
  status,
  description,
  type: SCIM_TYPE,
  schema: Failure,
});
const REFUSALS: readonly PlainAnswer[] = [
  refusal(400, 'The request is not valid (scimType says what)'),
  refusal(401, 'The caller is not known'),
  refusal(403, 'Policy does not allow this'),
  refusal(404, 'There is no such resource'),
  refusal(409, 'Somebody else has this name, or nobody would be left to administer'),
  refusal(412, 'The version is not the one of If-Match'),
  refusal(413, 'The body is too large'),
  refusal(415, 'The body is not JSON'),
  refusal(429, 'Too many requests'),
  refusal(500, 'Something failed here'),
  refusal(503, 'A service that this needs is not there, or an import is under way'),
];

type Described = Pick<PlainRoute, 'name' | 'method' | 'summary'> & {
  readonly path: string;
  readonly body?: z.ZodType;
  readonly success?: PlainAnswer;
  readonly query?: z.ZodObject;
};

const found = (schema: z.ZodType): PlainAnswer => ({ status: 200, description: 'Done', type: SCIM_TYPE, schema });

function route({ path, body, success = found(Resource), query, ...rest }: Described): PlainRoute {
  return {
    ...rest,
    path: `${ROOT}${path}`,
    ...(path.includes('{id}') && { params: id }),
    ...(query && { query }),
    ...(body && { bodies: { [SCIM_TYPE]: body, 'application/json': body } }),
    others: [success, ...REFUSALS],
  };
}
const made: PlainAnswer = { ...found(Resource), status: 201, headers: { ETag: 'Version', Location: 'The resource' } };
const gone: PlainAnswer = { status: 204, description: 'They left' };
const listed = found(List);
const one = z.object(shown);

/** Provisioning (RFC 7643, RFC 7644): users and, as groups, the roles. */
export const scimRoutes: readonly PlainRoute[] = [
  route({
    name: 'scim_config',
    method: 'get',
    path: '/ServiceProviderConfig',
    summary: 'What provisioning can do.',
    success: found(z.looseObject({})),
  }),
  route({
    name: 'scim_types',
    method: 'get',
    path: '/ResourceTypes',
    summary: 'The two kinds of resource.',
    success: listed,
  }),
  route({ name: 'scim_type', method: 'get', path: '/ResourceTypes/{id}', summary: 'One kind of resource.' }),
  route({
    name: 'scim_schemas',
    method: 'get',
    path: '/Schemas',
    summary: 'The attributes that are kept.',
    success: listed,
  }),
  route({ name: 'scim_schema', method: 'get', path: '/Schemas/{id}', summary: 'The attributes of one schema.' }),
  route({
    name: 'scim_list_users',
    method: 'get',
    path: '/Users',
    summary: 'People, page by page.',
    query: paged,
    success: listed,
  }),
  route({
    name: 'scim_create_user',
    method: 'post',
    path: '/Users',
    summary: 'Add a person, who waits for a role.',
    body: UserBody,
    success: made,
  }),
  route({ name: 'scim_read_user', method: 'get', path: '/Users/{id}', summary: 'One person.', query: one }),
  route({
    name: 'scim_replace_user',
    method: 'put',
    path: '/Users/{id}',
    summary: 'Make a person what is sent.',
    body: UserBody,
  }),
  route({
    name: 'scim_patch_user',
    method: 'patch',
    path: '/Users/{id}',
    summary: 'Change a person.',
    body: PatchBody,
  }),
  route({
    name: 'scim_delete_user',
    method: 'delete',
    path: '/Users/{id}',
    summary: 'A person leaves.',
    success: gone,
  }),
  route({
    name: 'scim_list_groups',
    method: 'get',
    path: '/Groups',
    summary: 'The roles; none can be made or deleted.',
    query: paged,
    success: listed,
  }),
  route({
    name: 'scim_read_group',
    method: 'get',
    path: '/Groups/{id}',
    summary: 'One role with its people.',
    query: one,
  }),
  route({
    name: 'scim_replace_group',
    method: 'put',
    path: '/Groups/{id}',
    summary: 'Give a role to exactly these people.',
    body: GroupBody,
  }),
  route({
    name: 'scim_patch_group',
    method: 'patch',
    path: '/Groups/{id}',
    summary: 'Give a role to people, or take it.',
    body: PatchBody,
  }),
];
