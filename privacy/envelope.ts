import { createHmac } from 'node:crypto';

import type { Json } from '../contracts/json.ts';
import { tenantKeys } from './keys.ts';
import type { MasterKey } from './keys.ts';
import { seal, unseal } from './sealing.ts';

/** Encrypts JSON for an organisation, bound to the id it is stored under. */
export interface Envelope {
  seal(organisationId: string, id: string, value: Json): Buffer;
  /** Throws where the bytes, the id or the key are not the same. */
  open(organisationId: string, id: string, sealed: Buffer): Json;
  /** The same for text. */
  openText(organisationId: string, id: string, sealed: Buffer): string;
  /** A keyed hash: tells whether two texts are the same, and nothing else about them. */
  fingerprint(organisationId: string, text: string): Buffer;
}

/** The envelope of all organisations under one master key. */
export function createEnvelope(masterKey: MasterKey): Envelope {
  const key = (organisationId: string): Buffer => tenantKeys(masterKey, organisationId).sealing;
  const context = (organisationId: string, id: string): string => `${organisationId}|${id}`;
  const open = (organisationId: string, id: string, sealed: Buffer): Json =>
    JSON.parse(unseal(key(organisationId), context(organisationId, id), sealed)) as Json;
  return {
    open,
    openText(organisationId, id, sealed) {
      const text = open(organisationId, id, sealed);
      if (typeof text !== 'string') throw new Error(`What is sealed as ${id} is no text.`);
      return text;
    },
    seal: (organisationId, id, value) => seal(key(organisationId), context(organisationId, id), JSON.stringify(value)),
    fingerprint: (organisationId, text) =>
      createHmac('sha256', tenantKeys(masterKey, organisationId).naming).update(`fingerprint|${text}`).digest(),
  };
}
