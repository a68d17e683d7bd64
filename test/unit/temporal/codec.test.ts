import { defaultPayloadConverter, ApplicationFailure } from '@temporalio/common';
import type { Payload, SerializationContext } from '@temporalio/common';
import test from 'ava';
import fc from 'fast-check';

import { organisationOfWorkflow, SYSTEM_ORGANISATION } from '../../../contracts/codec.ts';
import { newId } from '../../../platform/ids.ts';
import { createClaims, claimIn } from '../../../temporal/claims.ts';
import { createCodec, encryptFor, sealingOf } from '../../../temporal/codec.ts';
import { failureConverter } from '../../../temporal/failure-converter.ts';
import { packPayload, unpackPayload } from '../../../temporal/payload-frame.ts';
import { fromWire, toWire } from '../../../temporal/remote-codec.ts';
import { fixedKeys } from '../../support/memory-keys.ts';

const ORG = newId('organisation');
const OTHER = newId('organisation');
const codec = createCodec(fixedKeys());
const inWorkflow = (workflowId: string): SerializationContext => ({
  type: 'workflow',
  namespace: 'default',
  workflowId,
});
const TASK = inWorkflow(`task:${ORG}:task_1`);

const payload = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
const value = (one: Payload | undefined): unknown => defaultPayloadConverter.fromPayload(one ?? {});
const only = (payloads: readonly Payload[]): Payload => payloads[0] ?? {};
const textOf = (one: Payload): string => packPayload(one).toString('latin1');
const changed = (one: Payload, name: string, text: string): Payload => ({
  ...one,
  metadata: { ...one.metadata, [name]: new Uint8Array(Buffer.from(text)) },
});

test('X-4: the organisation of a workflow is read from its id, and nothing else is taken for one', (t) => {
  for (const kind of ['task', 'approval', 'session', 'delivery', 'fanout', 'run'])
    t.is(organisationOfWorkflow(`${kind}:${ORG}:x:y`), ORG);
  for (const id of [undefined, '', 'reconcile', `task:${ORG}`, `x ${ORG}:`, 'task:system:1', 'task:org_1:task_1'])
    t.is(organisationOfWorkflow(id), SYSTEM_ORGANISATION);
});

test('OPS-4: a payload comes back as it was, whatever it holds', async (t) => {
  const bytes = fc.uint8Array({ maxLength: 300 });
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.string({ minLength: 1 }), bytes), bytes, async (metadata, data) => {
      const before = { metadata, data };
      const after = only(await codec.decode(await codec.encode([before], TASK), TASK));
      t.deepEqual(unpackPayload(packPayload(before)), unpackPayload(packPayload(after)));
      t.deepEqual(fromWire(toWire(before)).data, new Uint8Array(data));
    }),
    { numRuns: 50 },
  );
});

test('OPS-4: what is encrypted shows neither the value nor its encoding, and never twice the same', async (t) => {
  const [one, two] = [await codec.encode([payload('dana')], TASK), await codec.encode([payload('dana')], TASK)];
  t.false(textOf(only(one)).includes('dana'));
  t.false(textOf(only(one)).includes('json/plain'));
  t.notDeepEqual(only(one).data, only(two).data);
  t.deepEqual(sealingOf(only(one)), { organisationId: ORG, version: 1, workflowId: `task:${ORG}:task_1` });
  t.is(only(await codec.encode(one, TASK)), only(one), 'what is encrypted is not encrypted again');
});

test('APPR-3: what an operator sends in clear is read as it is', async (t) => {
  const plain = payload({ decision: 'approve' });
  t.is(only(await codec.decode([plain], TASK)), plain);
});

test('OPS-4: a changed, moved or foreign payload is refused, and says why', async (t) => {
  const sealed = only(await codec.encode([payload('dana')], TASK));
  const flipped = { ...sealed, data: Uint8Array.from(sealed.data ?? [], (byte, at) => (at === 40 ? byte ^ 1 : byte)) };
  const refused = async (one: Payload, context: SerializationContext | undefined, message: RegExp): Promise<void> => {
    const error = await t.throwsAsync(codec.decode([one], context), { message });
    t.false(error.message.includes('dana'));
  };
  await refused(flipped, TASK, /cannot be opened: it was changed/);
  await refused({ ...sealed, data: sealed.data?.subarray(0, 20) ?? null }, TASK, /cannot be opened/);
  await refused(sealed, inWorkflow(`task:${ORG}:task_2`), /was found in task:.*task_2: it was moved/);
  await refused(sealed, inWorkflow(`task:${OTHER}:task_1`), /it was moved there, and is refused/);
  await refused(
    changed(sealed, 'workflow-id', `task:${ORG}:task_2`),
    inWorkflow(`task:${ORG}:task_2`),
    /cannot be opened/,
  );
  await refused(changed(sealed, 'workflow-id', ''), undefined, /cannot be opened/);
  await refused(changed(sealed, 'encryption-key-id', `${OTHER}/1`), undefined, /cannot be opened/);
  await refused(changed(sealed, 'encryption-key-id', `${ORG}/7`), TASK, /There is no key org_.*\/7/);
  await refused(changed(sealed, 'encryption-key-id', 'nonsense'), TASK, /does not name its key/);
});

test('OPS-4: an old version stays readable after a rotation, and new payloads use the new one', async (t) => {
  const old = await codec.encode([payload(1)], TASK);
  const rotated = createCodec(fixedKeys(2));
  t.is(value(only(await rotated.decode(old, TASK))), 1);
  t.is(sealingOf(only(await rotated.encode([payload(2)], TASK)))?.version, 2);
});

test('OPS-4: upkeep and what an operator encrypts are bound to no workflow', async (t) => {
  const upkeep = await codec.encode([payload(1)], inWorkflow('reconcile-1'));
  t.is(value(only(await codec.decode(upkeep, inWorkflow('reconcile-2')))), 1);
  const bySomebody = await encryptFor(fixedKeys(), ORG, payload(2));
  t.is(value(only(await codec.decode([bySomebody], TASK))), 2);
  await t.throwsAsync(codec.decode([bySomebody], inWorkflow(`task:${OTHER}:task_1`)), { message: /refused/ });
});

test('OPS-4: an activity, local or not, reads what its workflow wrote and the other way round', async (t) => {
  const activity: SerializationContext = { ...TASK, type: 'activity', isLocal: true, workflowId: `task:${ORG}:task_1` };
  t.is(value(only(await codec.decode(await codec.encode([payload(1)], TASK), activity))), 1);
  t.is(value(only(await codec.decode(await codec.encode([payload(1)], activity), TASK))), 1);
});

test('OPS-4: message, stack and details of a failure are in payloads, which are encrypted', (t) => {
  const error = ApplicationFailure.nonRetryable('dana whitfield', 'forbidden', { who: 'dana' });
  const failure = failureConverter.errorToFailure(error, defaultPayloadConverter);
  t.is(failure.message, 'Encoded failure');
  t.is(failure.stackTrace, '');
  t.false(JSON.stringify({ ...failure, encodedAttributes: null, applicationFailureInfo: null }).includes('dana'));
  t.is(failureConverter.failureToError(failure, defaultPayloadConverter).message, 'dana whitfield');
});

test('OPS-4: a claim names its driver, its owner and its digest; another reference is none of ours', async (t) => {
  const kept = new Map<string, Buffer>();
  const storage = createClaims({
    put: (organisationId, id, bytes) => Promise.resolve(void kept.set(`${organisationId}/${id}`, bytes)),
    get: (organisationId, id) => Promise.resolve(kept.get(`${organisationId}/${id}`)),
  });
  const driver = storage.getDriver('switchboard-postgres');
  const sealed = await codec.encode([payload('large')], TASK);
  const target = { kind: 'workflow', namespace: 'default', id: `task:${ORG}:task_1` } as const;
  const claims = (await driver?.store({ target }, sealed)) ?? [];
  t.deepEqual([...kept.keys()], [`${ORG}/${claims[0]?.claimData['id'] ?? ''}`]);
  const back = (await driver?.retrieve({}, claims)) ?? [];
  t.is(value(only(await codec.decode(back, TASK))), 'large');
  kept.clear();
  await t.throwsAsync(async () => driver?.retrieve({}, claims), {
    message: /not in payload_claims: it was swept or erased/,
  });
  t.is(claimIn(payload('x')), undefined);
});
