import { createHash } from 'node:crypto';

import canonicalize from 'canonicalize';

/** sha256 of the canonical JSON (RFC 8785) of an action; null where there is none. */
export const digestOf = (action: unknown): string | null =>
  action === null || action === undefined
    ? null
    : `sha256:${createHash('sha256')
        .update(canonicalize(action) ?? '')
        .digest('hex')}`;
