import type { Request, Response } from 'express';

import type { Queryable } from '../../db/pool.ts';
import type { Call } from '../call.ts';
import type { ApiDeps } from '../deps.ts';
import { ScimRefusal } from './error.ts';
import { LIST, MOST_RESULTS } from './schemas.ts';

/** One request that was authenticated and permitted. */
export interface ScimCall {
  readonly deps: ApiDeps;
  readonly call: Call;
  readonly within: <T>(work: (sql: Queryable) => Promise<T>) => Promise<T>;
}

export const SCIM_PATH = '/scim/v2';

/** Where resources are, as the client reached them. */
export const baseOf = (req: Request): string =>
  `${req.protocol}://${req.get('host') ?? 'localhost'}${req.baseUrl.slice(0, req.baseUrl.indexOf(SCIM_PATH))}${SCIM_PATH}`;

export interface Page {
  readonly startIndex: number;
  readonly offset: number;
  readonly count: number;
}

function wholeNumber(req: Request, name: string, otherwise: number): number {
  const given = req.query[name];
  if (given === undefined) return otherwise;
  const value = Number(given);
  if (typeof given !== 'string' || !Number.isSafeInteger(value))
    throw new ScimRefusal(400, `${name} must be a whole number.`, 'invalidValue');
  return value;
}

/** The page that is asked for; numbers out of range mean the nearest (RFC 7644, section 3.4.2.4). */
export function pageWanted(req: Request): Page {
  const startIndex = Math.min(Math.max(1, wholeNumber(req, 'startIndex', 1)), 1_000_000_000);
  const count = Math.min(MOST_RESULTS, Math.max(0, wholeNumber(req, 'count', 100)));
  return { startIndex, offset: startIndex - 1, count };
}

/** A page of resources. */
export const listAnswer = (totalResults: number, { startIndex }: Page, Resources: readonly object[]): object => ({
  schemas: [LIST],
  totalResults,
  startIndex,
  itemsPerPage: Resources.length,
  Resources,
});

const named = (value: unknown): string[] =>
  typeof value === 'string' && value !== '' ? value.split(',').map((name) => name.trim().toLowerCase()) : [];
const ALWAYS = new Set(['id', 'schemas', 'meta']);

/** A resource with the attributes that are wanted; paths into an attribute mean all of it. */
function projected(resource: object, wanted: readonly string[], unwanted: readonly string[]): object {
  if (wanted.length === 0 && unwanted.length === 0) return resource;
  const isNamed = (names: readonly string[], attribute: string): boolean =>
    names.some((name) => name === attribute || name.startsWith(`${attribute}.`) || name.startsWith(`${attribute}:`));
  return Object.fromEntries(
    Object.entries(resource).filter(([name]) => {
      const attribute = name.toLowerCase();
      if (ALWAYS.has(attribute)) return true;
      return wanted.length > 0 ? isNamed(wanted, attribute) : !unwanted.includes(attribute);
    }),
  );
}

/** Answers in the content type of SCIM, with the attributes that are wanted. */
export function send(res: Response, status: number, body: object, kind: 'resource' | 'list' = 'resource'): void {
  const [wanted, unwanted] = [named(res.req.query['attributes']), named(res.req.query['excludedAttributes'])];
  const shown =
    kind === 'list' && 'Resources' in body
      ? { ...body, Resources: (body.Resources as object[]).map((one) => projected(one, wanted, unwanted)) }
      : projected(body, wanted, unwanted);
  res.status(status).type('application/scim+json').send(JSON.stringify(shown));
}
