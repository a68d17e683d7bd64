import type { PlainRoute } from '../../contracts/plain-routes.ts';
import { parameter } from './requests.ts';
import { failuresOf } from './responses.ts';
import { partsOf } from './schemas.ts';
import type { Components, Schema } from './schemas.ts';

/** The description of a route that is no operation. */
export function plainItem(route: PlainRoute, components: Components): Schema {
  const query = route.query && partsOf(components.of(route.query, 'input'));
  const { type, schema } = route.answer;
  return {
    operationId: route.name,
    summary: route.summary,
    ...(route.description !== undefined && { description: route.description }),
    tags: [route.path.split('/')[1] ?? 'other'],
    ...(route.public === true && { security: [] }),
    parameters: Object.entries(query?.properties ?? {}).map(([name, field]) =>
      parameter(name, 'query', field, query ?? { required: [] }),
    ),
    ...(route.form && {
      requestBody: {
        required: true,
        content: { 'application/x-www-form-urlencoded': { schema: components.of(route.form, 'input') } },
      },
    }),
    responses: {
      200: { description: route.summary, content: { [type]: { schema: components.of(schema, 'output') } } },
      ...failuresOf([...route.errors, 'method_not_allowed', 'internal']),
    },
  };
}
