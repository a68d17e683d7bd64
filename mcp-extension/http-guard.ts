import { hostHeaderValidation, originValidation } from '@modelcontextprotocol/express';
import type { AuthInfo } from '@modelcontextprotocol/server';
import type { ErrorRequestHandler, RequestHandler, Response } from 'express';

import type { Logger } from '../platform/log.ts';
import type { CallerKeys } from './callers.ts';
import { NotAuthorised } from './oauth/resource.ts';
import type { ProtectedResource } from './oauth/resource.ts';
import { rpcError } from './rpc-error.ts';

/** Header with the key of the person at the client, beside the client's own in Authorization. */
const APPROVER_HEADER = 'switchboard-approver-key';

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/** Refuses requests that a web page made for another name than ours (DNS rebinding, foreign origins). */
export function guardNames(host: string, allowedHosts?: readonly string[]): RequestHandler[] {
  const local = host === '::1' || LOOPBACK.includes(host);
  const names = [...(allowedHosts ?? []), ...(local ? LOOPBACK : [])];
  // Without names of its own a server that listens everywhere has only the key to go by, which no page holds.
  return names.length === 0 ? [] : [hostHeaderValidation(names), originValidation(names)];
}

/** The key of a request whose `requireKey` passed. */
export const keyOf = (header: string | undefined): string | undefined =>
  /^Bearer +([\x21-\x7e]{1,4096})$/i.exec(header?.trim() ?? '')?.[1];

/** How callers are known: by tokens for this server, and by development keys where these are on. */
export interface Authorisation {
  readonly resource?: ProtectedResource | undefined;
  readonly staticKeys: boolean;
}

/** Asks for a token or key before anything is read or parsed (MCP authorisation, RFC 6750, RFC 9728). */
export const requireKey =
  ({ resource, staticKeys }: Authorisation): RequestHandler =>
  async (request, response, next) => {
    try {
      const token = keyOf(request.get('authorization'));
      const known = token?.startsWith('sbk_') === true || !resource ? keyHolder(token, staticKeys) : undefined;
      const auth = known ?? (await tokenHolder(resource, token));
      const approverKey = request.get(APPROVER_HEADER);
      request.auth = { ...auth, ...(approverKey !== undefined && { extra: { approverKey } }) };
    } catch (error) {
      if (!(error instanceof NotAuthorised)) throw error;
      refuse(response, error, resource);
      return;
    }
    next();
  };

function keyHolder(token: string | undefined, staticKeys: boolean): AuthInfo {
  if (token === undefined)
    throw new NotAuthorised(
      401,
      staticKeys
        ? 'Send a development key: Authorization: Bearer <key>.'
        : 'Sign in, and send an access token: Authorization: Bearer <token>.',
    );
  if (!staticKeys) throw new NotAuthorised(401, 'API keys are switched off here: sign in.', 'invalid_token');
  return { token, clientId: 'api-key', scopes: [] };
}

function tokenHolder(resource: ProtectedResource | undefined, token: string | undefined): Promise<AuthInfo> {
  if (token === undefined || !resource)
    throw new NotAuthorised(401, 'Send an access token for this server: Authorization: Bearer <token>.');
  return resource.authorise(token);
}

/** The challenge says where a token is had; without a resource of OAuth there is none to have. */
function refuse(
  response: Response,
  { status, message, error, scope }: NotAuthorised,
  resource?: ProtectedResource,
): void {
  const parts = [
    resource ? `resource_metadata="${resource.metadataUrl}"` : 'realm="switchboard"',
    ...(error === undefined ? [] : [`error="${error}"`, `error_description="${message.replaceAll(/["\\]/g, '')}"`]),
    ...(scope === undefined ? [] : [`scope="${scope}"`]),
  ];
  if (status !== 503) response.setHeader('WWW-Authenticate', `Bearer ${parts.join(', ')}`);
  response.status(status).json(rpcError(-32_001, message));
}

/** The keys of a request whose `requireKey` passed. */
export function callerOf(auth: AuthInfo | undefined): CallerKeys {
  const approverKey = auth?.extra?.['approverKey'];
  return { key: auth?.token, approverKey: typeof approverKey === 'string' ? approverKey : undefined };
}

/** Answers bodies that cannot be read, and our own failures, as JSON-RPC errors without their inside. */
export function answerErrors(log: Pick<Logger, 'error'>): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    const status = statusOf(error);
    if (status >= 500) log.error({ err: error }, 'request failed');
    if (response.headersSent) {
      next(error);
      return;
    }
    response.status(status).json(faultOf(status));
  };
}

function statusOf(error: unknown): number {
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 500;
}

function faultOf(status: number): object {
  if (status === 413) return rpcError(-32_600, 'The body is larger than the server takes (1 MiB).');
  if (status < 500) return rpcError(-32_700, 'The body cannot be read: send one JSON-RPC message as UTF-8 JSON.');
  return rpcError(-32_603, 'Something failed here; see the log of the MCP server.');
}
