import test from 'ava';
import fc from 'fast-check';
import { z } from 'zod';

import { challengeOf, InvalidToken } from '../../../api/authentication/invalid-token.ts';
import { openApiDocument } from '../../../api/openapi.ts';
import type { Installation } from '../../../api/openapi/security.ts';
import { ApiError } from '../../../api/problem.ts';
import { Approvers } from '../../../contracts/approvals.ts';
import { ERRORS } from '../../../contracts/errors.ts';
import { operations } from '../../../contracts/index.ts';
import { pageFields, recordPageFields } from '../../../contracts/paging.ts';
import { plainRoutes } from '../../../contracts/plain-routes.ts';
import { Duration } from '../../../contracts/time.ts';
import { cursorOf } from '../../../api/views.ts';
import { newId } from '../../../platform/ids.ts';

interface Answer {
  readonly headers?: Record<string, unknown>;
  readonly links?: Record<string, { operationId: string }>;
}
interface Item {
  readonly operationId: string;
  readonly responses: Record<string, Answer>;
}
const document = openApiDocument(operations, plainRoutes) as {
  paths: Record<string, Record<string, Item>>;
  components: { schemas: Record<string, unknown> };
};
const items = Object.values(document.paths).flatMap((item) => Object.values(item));

test('X-1: every operation and every other route is described, under a name of its own', (t) => {
  const names = items.map(({ operationId }) => operationId);
  t.deepEqual([...names].sort(), [...operations, ...plainRoutes].map(({ name }) => name).sort());
  t.is(new Set(names).size, names.length);
});

test('X-1: schemas that contain themselves without a name get one of their own', (t) => {
  const Tree = z.object({
    tree: z.string(),
    get parts() {
      return z.array(Tree).optional();
    },
  });
  const Road = z.object({
    road: z.string(),
    get turns() {
      return z.array(Road).optional();
    },
  });
  const route = (name: string, schema: z.ZodType) =>
    ({ name, method: 'get', path: `/${name}`, summary: name, answer: { type: 'application/json', schema } }) as const;
  const routes = [route('see_tree', z.object({ root: Tree })), route('see_road', z.object({ start: Road }))];
  const { components } = openApiDocument([], routes) as typeof document;
  const schemas = components.schemas as Record<string, { properties: object }>;
  t.true('tree' in (schemas['SeeTreeOutput']?.properties ?? {}));
  t.true('road' in (schemas['SeeRoadOutput']?.properties ?? {}));
  t.false(Object.keys(document.components.schemas).some((name) => name.startsWith('__')));
});

test('X-1: every reference and every link of the document leads somewhere', (t) => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, to = '']) => to);
  t.true(references.length > 0);
  for (const to of new Set(references))
    t.true(to.replace('#/components/schemas/', '') in document.components.schemas, to);
  const links = items.flatMap(({ responses }) =>
    Object.values(responses).flatMap(({ links = {} }) => Object.values(links)),
  );
  t.true(links.length > 0);
  for (const { operationId } of links)
    t.true(
      items.some((item) => item.operationId === operationId),
      operationId,
    );
});

test('X-1: every failure that an operation names is documented, with the headers that come with it', (t) => {
  for (const operation of operations) {
    const responses: Record<string, Answer> = document.paths[operation.path]?.[operation.method]?.responses ?? {};
    for (const code of operation.errors ?? [])
      t.true(String(ERRORS[code].status) in responses, `${operation.name} ${code}`);
    for (const status of ['429', '503']) t.truthy(responses[status]?.headers?.['Retry-After'], operation.name);
    t.truthy(responses['405']?.headers?.['Allow'], operation.name);
  }
});

test('X-1, IDN-1: signing in, the token service, metadata, provisioning and the import are described', (t) => {
  for (const path of [
    ...['/auth/login', '/auth/callback', '/auth/logout', '/oauth/token', '/oauth/revoke', '/profiles/keys'],
    ...['jwks.json', 'oauth-protected-resource', 'oauth-authorization-server'].map((file) => `/.well-known/${file}`),
    ...['/scim/v2/Users', '/scim/v2/Users/{id}', '/scim/v2/Groups', '/scim/v2/Groups/{id}'],
    ...['/admin/org/import', '/admin/org/export'],
  ])
    t.truthy(document.paths[path], path);
  t.deepEqual(Object.keys(document.paths['/scim/v2/Users/{id}'] ?? {}).sort(), ['delete', 'get', 'patch', 'put']);
  t.true('303' in (document.paths['/auth/login']?.['get']?.responses ?? {}));
  t.true('201' in (document.paths['/admin/org/import']?.['post']?.responses ?? {}));
});

test('X-1, IDN-1: callers are known by a bearer token or a session; the provider is named where there is one', (t) => {
  const schemes = (installation?: Installation) => {
    const { security, components } = openApiDocument([], [], installation) as {
      security: Record<string, []>[];
      components: { securitySchemes: Record<string, Record<string, string>> };
    };
    t.deepEqual(security.flatMap(Object.keys), Object.keys(components.securitySchemes));
    return components.securitySchemes;
  };
  t.like(schemes(), {
    bearer: { scheme: 'bearer', bearerFormat: 'JWT' },
    session: { name: '__Host-switchboard_session' },
  });
  t.false('provider' in schemes());
  const served = schemes({ issuer: 'https://id.example/realms/a', publicUrl: 'http://127.0.0.1:8088' });
  t.is(served['session']?.['name'], 'switchboard_session');
  t.is(served['provider']?.['openIdConnectUrl'], 'https://id.example/realms/a/.well-known/openid-configuration');
});

test('X-1: the challenge of a 401 is as the document says', (t) => {
  const { schema } = (document.paths['/tasks']?.['get']?.responses['401']?.headers?.['WWW-Authenticate'] ?? {}) as {
    schema: { pattern: string };
  };
  for (const error of [
    new InvalidToken('expired', 'It has expired.'),
    new ApiError({ code: 'unauthenticated', detail: '' }),
  ])
    t.regex(challengeOf(error, 'https://x.example/metadata') ?? '', new RegExp(schema.pattern));
});

const patternOf = (schema: z.ZodType): RegExp => new RegExp((z.toJSONSchema(schema) as { pattern: string }).pattern);

test('X-1: the pattern of a duration admits exactly the durations', (t) => {
  const pattern = patternOf(Duration);
  const text = fc
    .tuple(fc.nat(40_000_000), fc.constantFrom('s', 'm', 'h', 'd', 'x', ''))
    .map(([n, unit]) => `${String(n)}${unit}`);
  const edges = [
    '365d',
    '366d',
    '8760h',
    '8761h',
    '525600m',
    '525601m',
    '31536000s',
    '31536001s',
    '1s',
    '0s',
    '007d',
    '1000d',
  ];
  for (const edge of edges) t.is(pattern.test(edge), Duration.safeParse(edge).success, edge);
  fc.assert(fc.property(text, (duration) => pattern.test(duration) === Duration.safeParse(duration).success));
  const days = Array.from({ length: 500 }, (_, n) => `${String(n)}d`);
  t.deepEqual(days.filter((day) => pattern.test(day)).length, 365);
});

test('X-3: every cursor that is given out fits the pattern of cursors', (t) => {
  for (const id of [newId('task'), newId('approval'), newId('notification'), 'a.b:c-d_E9'])
    t.is(pageFields.cursor.parse(cursorOf(id)), cursorOf(id));
  for (const position of ['0', '1548', '999999999999999999'])
    t.is(recordPageFields.cursor.parse(cursorOf(position)), cursorOf(position));
  for (const none of ['', 'AA', '0', '00', '2f', '6', 'abc']) t.false(pageFields.cursor.safeParse(none).success, none);
});

test('APPR-2: approvers are named by any of the fields, whatever the others are left empty', (t) => {
  t.true(Approvers.safeParse({ users: [], roles: ['manager'] }).success);
  t.true(Approvers.safeParse({ users: [], roles: [], manager_of: newId('user') }).success);
  t.false(Approvers.safeParse({ users: [], roles: [] }).success);
  t.false(Approvers.safeParse({}).success);
});
