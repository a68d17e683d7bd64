import type { Operation } from '../contracts/operation.ts';
import type { PlainRoute } from '../contracts/plain-route.ts';
import { linksOf } from './openapi/links.ts';
import { plainItem } from './openapi/plain.ts';
import { bodyOf, parametersOf } from './openapi/requests.ts';
import { responsesOf } from './openapi/responses.ts';
import { Components, partsOf } from './openapi/schemas.ts';
import type { Schema } from './openapi/schemas.ts';
import { schemesOf, securityOf } from './openapi/security.ts';
import type { Installation } from './openapi/security.ts';

function pathItem(operation: Operation, operations: readonly Operation[], components: Components): Schema {
  const input = components.of(operation.input, 'input', operation.name);
  const responses = responsesOf(operation, components);
  const success = String(operation.status ?? 200);
  const links = linksOf(operation, operations, components);
  return {
    operationId: operation.name,
    summary: operation.summary,
    ...(operation.description !== undefined && { description: operation.description }),
    tags: [operation.path.split('/')[1] ?? 'other'],
    parameters: parametersOf(operation, partsOf(input)),
    ...bodyOf(operation, input, components),
    responses: { ...responses, [success]: { ...(responses[success] as Schema), ...links } },
  };
}

/** The OpenAPI 3.1 document of the operations, and of the routes that are none; as an installation serves it, or any. */
export function openApiDocument(
  operations: readonly Operation[],
  routes: readonly PlainRoute[],
  installation: Installation = {},
): Schema {
  const components = new Components();
  const paths: Record<string, Schema> = {};
  const add = (path: string, method: string, item: Schema): void => {
    paths[path] = { ...paths[path], [method]: item };
  };
  for (const operation of operations)
    add(operation.path, operation.method, pathItem(operation, operations, components));
  for (const route of routes) add(route.path, route.method, plainItem(route, components));
  return {
    openapi: '3.1.0',
    info: {
      title: 'Switchboard',
      version: '0.1.0',
      description:
        'Tasks, approvals and sessions between agents and people. Every path is served under /api too. ' +
        'Texts are Unicode without NUL; numbers fit a double.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    ...securityOf(installation),
    paths,
    components: { schemas: components.schemas, securitySchemes: schemesOf(installation) },
  };
}
