import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

import type { Payload, PayloadCodec, SerializationContext } from '@temporalio/common';

import { organisationOfWorkflow, SYSTEM_ORGANISATION } from '../contracts/codec.ts';
import { packPayload, unpackPayload } from './payload-frame.ts';

/** A key of an organisation for its histories. */
export interface HistoryKey {
  readonly version: number;
  /** 32 bytes. */
  readonly key: Buffer;
}

/** Where the codec gets keys from; given by whoever composes the process. */
export interface HistoryKeys {
  /** The newest key, made where there is none yet; throws where the organisation was erased. */
  current(organisationId: string): Promise<HistoryKey>;
  /** A key that something was encrypted with; throws where there is no such key, or it was erased. */
  find(organisationId: string, version: number): Promise<Buffer>;
}

/** Who may read an encrypted payload: whose it is, and the workflow it is bound to (empty: any of the organisation). */
export interface Sealing {
  readonly organisationId: string;
  readonly version: number;
  readonly workflowId: string;
}

const CIPHER = 'aes-256-gcm';
const ENCODING = 'binary/encrypted';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const FORMAT = 'switchboard-history:1';

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const text = (value: Uint8Array | null | undefined): string => Buffer.from(value ?? []).toString('utf8');
const ENCODING_BYTES = bytes(ENCODING);
const CIPHER_BYTES = bytes(FORMAT);

/** What an encrypted payload says of itself; undefined for a payload that is not ours. Throws where it is damaged. */
export function sealingOf({ metadata }: Payload): Sealing | undefined {
  if (text(metadata?.['encoding']) !== ENCODING || text(metadata?.['encryption-format']) !== FORMAT) return undefined;
  const [organisationId = '', version = ''] = text(metadata?.['encryption-key-id']).split('/');
  if (organisationId === '' || !/^[1-9]\d{0,8}$/.test(version))
    throw new Error('An encrypted payload does not name its key: its metadata was changed.');
  return { organisationId, version: Number(version), workflowId: text(metadata?.['workflow-id']) };
}

const associated = ({ organisationId, version, workflowId }: Sealing): Buffer =>
  Buffer.from(JSON.stringify([FORMAT, organisationId, version, workflowId]));

const describe = ({ organisationId, version, workflowId }: Sealing): string =>
  `A payload of ${workflowId === '' ? 'no workflow' : workflowId}, encrypted with key ${organisationId}/${String(version)},`;

/** Encrypts each payload under its organisation's key, bound to organisation, key version and workflow. */
export const createCodec = (keys: HistoryKeys): PayloadCodec => ({
  encode: (payloads, context) => Promise.all(payloads.map((payload) => encrypt(keys, payload, targetOf(context)))),
  decode: (payloads, context) => Promise.all(payloads.map((payload) => decrypt(keys, payload, context))),
});

/** What is encrypted for an organisation without a workflow; for input that an operator writes. */
export const encryptFor = (keys: HistoryKeys, organisationId: string, payload: Payload): Promise<Payload> =>
  encrypt(keys, payload, { organisationId, workflowId: '' });

type Target = Omit<Sealing, 'version'>;

/**
 * The owner by the workflow's id. Upkeep is not bound to its workflow: a scheduled run is handed the result of the one
 * before, whose id is another.
 */
function targetOf(context: SerializationContext | undefined): Target {
  const organisationId = organisationOfWorkflow(context?.workflowId);
  const bound = organisationId === SYSTEM_ORGANISATION ? undefined : context?.workflowId;
  return { organisationId, workflowId: bound ?? '' };
}

async function encrypt(keys: HistoryKeys, payload: Payload, target: Target): Promise<Payload> {
  if (sealingOf(payload)) return payload;
  const { version, key } = await keys.current(target.organisationId);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(associated({ ...target, version }));
  const sealed = Buffer.concat([cipher.update(packPayload(payload)), cipher.final()]);
  return {
    metadata: {
      encoding: ENCODING_BYTES,
      'encryption-format': CIPHER_BYTES,
      'encryption-key-id': bytes(`${target.organisationId}/${String(version)}`),
      ...(target.workflowId !== '' && { 'workflow-id': bytes(target.workflowId) }),
    },
    data: new Uint8Array(Buffer.concat([nonce, cipher.getAuthTag(), sealed])),
  };
}

/** Payloads that are not ours pass as they are: an operator's signal is plain JSON. */
async function decrypt(keys: HistoryKeys, payload: Payload, context?: SerializationContext): Promise<Payload> {
  const sealing = sealingOf(payload);
  if (!sealing) return payload;
  checkPlace(sealing, context?.workflowId);
  const key = await keys.find(sealing.organisationId, sealing.version);
  return unpackPayload(open(key, sealing, Buffer.from(payload.data ?? [])));
}

/** A payload is read only by the workflow that it was written for; where nobody says which that is, by its key alone. */
function checkPlace(sealing: Sealing, workflowId: string | undefined): void {
  if (workflowId === undefined || sealing.organisationId === SYSTEM_ORGANISATION) return;
  const owner = organisationOfWorkflow(workflowId);
  const here = sealing.workflowId === '' || sealing.workflowId === workflowId;
  if (!here || owner !== sealing.organisationId)
    throw new Error(`${describe(sealing)} was found in ${workflowId}: it was moved there, and is refused.`);
}

function open(key: Buffer, sealing: Sealing, data: Buffer): Buffer {
  try {
    const [nonce, rest] = [data.subarray(0, NONCE_BYTES), data.subarray(NONCE_BYTES)];
    const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES }).setAAD(associated(sealing));
    decipher.setAuthTag(rest.subarray(0, TAG_BYTES));
    return Buffer.concat([decipher.update(rest.subarray(TAG_BYTES)), decipher.final()]);
  } catch {
    throw new Error(`${describe(sealing)} cannot be opened: it was changed, or the key is another one.`);
  }
}
