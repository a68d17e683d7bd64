import { v7 } from 'uuid';

import { ID_PREFIXES } from '../contracts/ids.ts';
import type { IdKind } from '../contracts/ids.ts';

/** A new id: the kind's prefix and a UUIDv7 (RFC 9562). */
export const newId = (kind: IdKind): string => `${ID_PREFIXES[kind]}_${v7()}`;
