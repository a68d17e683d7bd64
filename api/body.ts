import express from 'express';
import type { NextFunction, Request, RequestHandler, Response } from 'express';

import { MAX_JSON_DEPTH } from '../contracts/json.ts';
import { ApiError } from './problem.ts';

/** Largest body, in bytes; the largest payload and what is around it fit well. */
export const MAX_BODY_BYTES = 1024 * 1024;

const decoder = new TextDecoder('utf-8', { fatal: true });
const malformed = (detail: string): ApiError => new ApiError({ code: 'malformed_body', detail });

/** Refuses JSON that is too deep, and texts that no database or receiver can hold. Iterative: deep input must not recurse. */
function checkJson(root: unknown): void {
  const open: [unknown, number][] = [[root, 0]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [value, depth] = next;
    if (depth > MAX_JSON_DEPTH)
      throw new ApiError({
        code: 'too_deep',
        detail: `The JSON is nested deeper than ${String(MAX_JSON_DEPTH)} levels.`,
      });
    if (typeof value === 'string') checkText(value);
    else if (typeof value === 'number') checkNumber(value);
    else if (typeof value === 'object' && value !== null)
      for (const [key, inner] of Object.entries(value)) {
        checkText(key);
        open.push([inner, depth + 1]);
      }
  }
}

function checkNumber(value: number): void {
  // JSON.parse makes an infinity of 1e400, which would be kept as null.
  if (!Number.isFinite(value)) throw malformed('A number is larger than a double can hold.');
}

/** Text that is valid Unicode without NUL, which Postgres cannot store. */
export function checkText(text: string): void {
  if (text.includes('\u0000') || !text.isWellFormed())
    throw malformed('A text holds a NUL character or half of a surrogate pair.');
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(decoder.decode(body));
  } catch (error) {
    const utf8 = error instanceof TypeError;
    throw malformed(utf8 ? 'The body is not valid UTF-8.' : 'The body is not valid JSON.');
  }
}

function readJson(req: Request, _res: Response, next: NextFunction): void {
  if (!Buffer.isBuffer(req.body) || req.body.length === 0) {
    req.body = {};
    next();
    return;
  }
  if (!req.is(['json', '+json']))
    throw new ApiError({ code: 'unsupported_media_type', detail: 'The body must be application/json.' });
  const parsed = parse(req.body);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw malformed('The body must be one JSON object.');
  checkJson(parsed);
  req.body = parsed;
  next();
}

/** Reads a body as one JSON object: size, encoding, depth and text are checked before anything else sees it. */
export const jsonBody: readonly RequestHandler[] = [express.raw({ type: () => true, limit: MAX_BODY_BYTES }), readJson];
