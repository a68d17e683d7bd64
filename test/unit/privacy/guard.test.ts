import test from 'ava';
import fc from 'fast-check';

import type { Json } from '../../../contracts/json.ts';
import { ENTITY_TYPES } from '../../../contracts/principal.ts';
import { createGuard } from '../../../privacy/guard.ts';
import { tenantKeys } from '../../../privacy/keys.ts';
import { pseudonymOf } from '../../../privacy/pseudonyms.ts';
import { seal } from '../../../privacy/sealing.ts';
import { createMemoryStore } from './memory-store.ts';

const masterKey = { version: 1, key: Buffer.alloc(32, 7) };
const ORG = 'org_one';

function guardWithStore() {
  const store = createMemoryStore();
  return { store, guard: createGuard({ masterKey, store }) };
}

const REQUEST: Json = {
  amount: 125000,
  vendor: {
    contact: 'ada@example.com',
    iban: 'DE89 3704 0044 0532 0130 00',
    note: 'call +1 415 555 2671; ada@example.com',
  },
  'reply to bob@example.org': [true, null, 'card 4111111111111111, 536-22-8145'],
};

test('GUARD-1: masks strings and keys of any JSON, and leaves numbers', async (t) => {
  const { guard } = guardWithStore();
  const { value, found } = await guard.mask(ORG, REQUEST);
  t.deepEqual(found, { email: 3, iban: 1, phone: 1, card: 1, ssn: 1 });
  t.deepEqual(guard.count(value), found);
  const text = JSON.stringify(value);
  t.notRegex(text, /example|DE89|415|4111|536/);
  t.regex(text, /"amount":125000/);
  t.regex(text, /reply to Email-/);
});

test('GUARD-4: restores what the caller is cleared for, and only that', async (t) => {
  const { guard } = guardWithStore();
  const { value } = await guard.mask(ORG, REQUEST);
  t.deepEqual(await guard.unmask(ORG, value, ENTITY_TYPES), REQUEST);
  t.deepEqual(await guard.unmask(ORG, value, []), value);
  const cleared = await guard.unmask(ORG, value, ['email']);
  t.deepEqual(guard.count(cleared), { iban: 1, phone: 1, card: 1, ssn: 1 });
  t.regex(JSON.stringify(cleared), /ada@example\.com/);
});

test('GUARD-4: pseudonyms of another organisation, unknown and damaged ones stay', async (t) => {
  const { guard } = guardWithStore();
  const { value } = await guard.mask(ORG, 'ada@example.com');
  t.is(await guard.unmask('org_two', value, ENTITY_TYPES), value);
  t.not((await guard.mask('org_two', 'ada@example.com')).value, value);
  const unknown = pseudonymOf(Buffer.alloc(32), 'email', 'x');
  const pseudonym = JSON.stringify(value).slice(1, -1);
  const damaged = `${pseudonym.slice(0, -1)}${pseudonym.endsWith('0') ? '1' : '0'}`;
  t.is(await guard.unmask(ORG, `${unknown} ${damaged}`, ENTITY_TYPES), `${unknown} ${damaged}`);
});

test('GUARD-4: restored text is not searched for pseudonyms again', async (t) => {
  const { guard, store } = guardWithStore();
  const keys = tenantKeys(masterKey, ORG);
  const [outer, inner] = [pseudonymOf(keys.naming, 'phone', 'outer'), pseudonymOf(keys.naming, 'email', 'inner')];
  await store.put(ORG, [
    { pseudonym: outer, entity_type: 'phone', sealed: seal(keys.sealing, `${ORG}|${outer}`, inner), key_version: 1 },
    { pseudonym: inner, entity_type: 'email', sealed: seal(keys.sealing, `${ORG}|${inner}`, 'value'), key_version: 1 },
  ]);
  t.is(await guard.unmask(ORG, `${outer} ${inner}`, ENTITY_TYPES), `${inner} value`);
});

const piece = fc.oneof(
  fc.string(),
  fc.emailAddress(),
  fc.constantFrom('+1 415 555 2671', '(415) 555-2671', '4111 1111 1111 1111', 'DE89370400440532013000', '536-22-8145'),
  fc.constantFrom('@example.com', 'Email-', 'Phone-ABCDEFGHJ', '415-', '1', '-', ' ', '.'),
);
const text = fc
  .array(piece, { maxLength: 8 })
  .chain((pieces) => fc.constantFrom('', ' ', ', ').map((glue) => pieces.join(glue)));
const json = fc.oneof(text, fc.dictionary(text, fc.oneof(text, fc.integer(), fc.array(text))));

test('GUARD-4: masking twice changes nothing, and a round trip restores every character', async (t) => {
  const { guard } = guardWithStore();
  await fc.assert(
    fc.asyncProperty(json, async (value: Json) => {
      const masked = await guard.mask(ORG, value);
      const again = await guard.mask(ORG, masked.value);
      t.deepEqual(again, { value: masked.value, found: {} });
      const restored = await guard.unmask(ORG, masked.value, ENTITY_TYPES);
      t.deepEqual(restored, value);
      t.deepEqual((await guard.mask(ORG, restored)).value, masked.value);
    }),
    { numRuns: 300 },
  );
});

test('GUARD-1: nesting of any depth and keys such as __proto__ are masked too', async (t) => {
  const { guard } = guardWithStore();
  let deep: Json = 'ada@example.com';
  for (let level = 0; level < 20_000; level += 1) deep = level % 2 ? [deep] : { in: deep };
  t.deepEqual((await guard.mask(ORG, deep)).found, { email: 1 });
  const odd = JSON.parse('{"__proto__": "ada@example.com"}') as Json;
  const { value } = await guard.mask(ORG, odd);
  t.deepEqual(guard.count(value), { email: 1 });
  t.deepEqual(await guard.unmask(ORG, value, ['email']), odd);
});

test('GUARD-4: a value is stored sealed, once, and known values cost no query', async (t) => {
  const { guard, store } = guardWithStore();
  const { value } = await guard.mask(ORG, REQUEST);
  await guard.mask(ORG, REQUEST);
  await guard.unmask(ORG, value, ENTITY_TYPES);
  t.deepEqual(store.calls, ['put']);
  t.is(store.rows.size, 6);
  for (const row of store.rows.values()) t.notRegex(row.sealed.toString('latin1'), /example|DE89|415|4111|536/);
  const other = createGuard({ masterKey, store, cacheSize: 1 });
  t.deepEqual(await other.unmask(ORG, value, ENTITY_TYPES), REQUEST);
});

test('GUARD-4: values whose pseudonyms collide get different ones', async (t) => {
  const { guard, store } = guardWithStore();
  const keys = tenantKeys(masterKey, ORG);
  const pseudonym = pseudonymOf(keys.naming, 'email', 'ada@example.com');
  const sealed = seal(keys.sealing, `${ORG}|${pseudonym}`, 'eve@example.com');
  await store.put(ORG, [{ pseudonym, entity_type: 'email', sealed, key_version: 1 }]);
  const { value } = await guard.mask(ORG, 'ada@example.com');
  t.not(value, pseudonym);
  t.is(await guard.unmask(ORG, value, ['email']), 'ada@example.com');
  t.is(await guard.unmask(ORG, pseudonym, ['email']), 'eve@example.com');
});

test('GUARD-4: another master key is named as the cause, without any value', async (t) => {
  const { guard, store } = guardWithStore();
  const { value } = await guard.mask(ORG, 'ada@example.com');
  const rotated = createGuard({ masterKey: { ...masterKey, version: 2 }, store });
  await t.throwsAsync(rotated.unmask(ORG, value, ['email']), { message: /sealed with master key 1, but only key 2/ });
  const wrong = createGuard({ masterKey: { version: 1, key: Buffer.alloc(32) }, store });
  await t.throwsAsync(wrong.unmask(ORG, value, ['email']), { message: /cannot be opened/ });
});
