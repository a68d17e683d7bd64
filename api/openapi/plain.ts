import type { PlainAnswer, PlainRoute } from '../../contracts/plain-route.ts';
import { KEY_HEADER, parameter } from './requests.ts';
import { failuresOf } from './responses.ts';
import { partsOf } from './schemas.ts';
import type { Components, Schema } from './schemas.ts';

/** The description of a route that is no operation. */
export function plainItem(route: PlainRoute, components: Components): Schema {
  return {
    operationId: route.name,
    summary: route.summary,
    ...(route.description !== undefined && { description: route.description }),
    tags: [route.path.split('/')[1] ?? 'other'],
    ...(route.public === true && { security: [] }),
    parameters: parametersOf(route, components),
    ...bodyOf(route, components),
    responses: responsesOf(route, components),
  };
}

function parametersOf({ name: route, params, query, keyed }: PlainRoute, components: Components): Schema[] {
  const fields = ([params && (['path', params] as const), query && (['query', query] as const)] as const)
    .filter((one) => one !== undefined)
    .flatMap(([place, schema]) => {
      const parts = partsOf(components.of(schema, 'input', route));
      return Object.entries(parts.properties).map(([name, field]) => parameter(name, place, field, parts));
    });
  return keyed === true ? [...fields, KEY_HEADER] : fields;
}

function bodyOf({ name, form, bodies }: PlainRoute, components: Components): Schema {
  const all = { ...(form && { 'application/x-www-form-urlencoded': form }), ...bodies };
  const content = Object.entries(all).map(([type, schema]) => [type, { schema: components.of(schema, 'input', name) }]);
  return content.length === 0
    ? {}
    : { requestBody: { required: true, content: Object.fromEntries(content) as Schema } };
}

function responsesOf({ name, summary, answer, others = [], errors }: PlainRoute, components: Components): Schema {
  const success: PlainAnswer[] = answer ? [{ status: 200, description: summary, ...answer }] : [];
  return {
    ...Object.fromEntries(
      [...success, ...others].map((one) => [String(one.status), responseOf(one, name, components)]),
    ),
    ...(errors && failuresOf([...errors, 'method_not_allowed', 'internal'])),
  };
}

function responseOf(
  { description, type, schema, headers = {} }: PlainAnswer,
  route: string,
  components: Components,
): Schema {
  const told = Object.entries(headers).map(([name, what]) => [name, { description: what, schema: { type: 'string' } }]);
  return {
    description,
    ...(told.length > 0 && { headers: Object.fromEntries(told) as Schema }),
    ...(type !== undefined && schema && { content: { [type]: { schema: components.of(schema, 'output', route) } } }),
  };
}
