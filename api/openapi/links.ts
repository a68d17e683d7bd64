import { ID_PREFIXES } from '../../contracts/ids.ts';
import type { Operation } from '../../contracts/operation.ts';
import { pathNames } from './requests.ts';
import { partsOf } from './schemas.ts';
import type { Components, Schema } from './schemas.ts';

const UUID = '01928f00-0000-7000-8000-000000000000';
const IDS = Object.values(ID_PREFIXES).map((prefix) => `${prefix}_${UUID}`);

/** Whether every id that the one schema describes fits the other. */
function fits({ pattern: from }: Schema, { pattern: to }: Schema): boolean {
  if (typeof from !== 'string' || typeof to !== 'string') return false;
  const ids = IDS.filter((id) => new RegExp(from).test(id));
  return ids.length > 0 && ids.every((id) => new RegExp(to).test(id));
}

/** Links from what an operation makes to what can be done with it (OpenAPI, Link Object): ids of the same kind. */
export function linksOf(operation: Operation, operations: readonly Operation[], components: Components): Schema {
  if (operation.status === undefined) return {};
  const ids = Object.entries(partsOf(components.of(operation.output, 'output', operation.name)).properties);
  const links = operations.flatMap((target): [string, Schema][] => {
    const { properties } = partsOf(components.of(target.input, 'input', target.name));
    const [name] = pathNames(target.path);
    const found = ids.find(([, schema]) => fits(schema, properties[name ?? ''] ?? {}));
    if (name === undefined || found === undefined) return [];
    return [[target.name, { operationId: target.name, parameters: { [name]: `$response.body#/${found[0]}` } }]];
  });
  return links.length > 0 ? { links: Object.fromEntries(links) } : {};
}
