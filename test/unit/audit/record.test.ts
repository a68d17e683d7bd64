import test from 'ava';
import fc from 'fast-check';

import { entryHash } from '../../../db/audit/chain.ts';
import { EVENT_COLUMNS, eventDigest } from '../../../db/audit/event.ts';
import type { SealedEvent } from '../../../db/audit/event.ts';
import { merklePath, merkleRoot, MerkleStream, rootByPath } from '../../../db/audit/merkle.ts';
import { claimsOf, sign } from '../../../db/audit/statement.ts';
import type { RecordItem } from '../../../db/audit/stream.ts';
import { eventsOf, FOREIGN, KEYS, ORGANISATION, OWN, records, recordWith, verdictOf } from './record-model.ts';
import type { EntryItem } from './record-model.ts';

const entriesOf = (items: readonly RecordItem[]): EntryItem[] => items.filter((item) => item.type === 'entry');

/** The record with one entry put differently. */
const withEntry = (
  items: readonly RecordItem[],
  index: number,
  change: (entry: EntryItem) => RecordItem[],
): RecordItem[] => items.flatMap((item) => (item.type === 'entry' && item.index === index ? change(item) : [item]));

/** An end line that fits, so that it is not the count that gives the change away. */
const recounted = (items: readonly RecordItem[]): RecordItem[] => {
  const entries = entriesOf(items);
  return items.map((item) =>
    item.type === 'end' ? { type: 'end', entries: entries.length, index: entries.at(-1)?.index ?? 0 } : item,
  );
};

test('AUD-1: an untouched record never gives a finding, whatever it holds and however it is cut into checkpoints', async (t) => {
  await fc.assert(
    fc.asyncProperty(records, async ({ contents, batches }) => {
      const items = await recordWith(eventsOf(contents), batches);
      const through: RecordItem[] = items.map((item) => JSON.parse(JSON.stringify(item)) as RecordItem);
      const { verified, findings } = await verdictOf(through);
      return findings.length === 0 && verified.entries === contents.length;
    }),
    { numRuns: 100 },
  );
  t.pass();
});

test('AUD-1: any change of any column of any event is found and named', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      records,
      fc.nat(),
      fc.constantFrom(...EVENT_COLUMNS),
      fc.jsonValue(),
      async ({ contents, batches }, pick, column, value) => {
        const items = await recordWith(eventsOf(contents), batches);
        const index = 1 + (pick % contents.length);
        const entry = entriesOf(items)[index - 1];
        const changed = { ...entry?.event, [column]: value } as SealedEvent;
        fc.pre(entry?.event !== null && entry !== undefined && eventDigest(changed) !== entry.event_digest);
        const { findings } = await verdictOf(withEntry(items, index, (one) => [{ ...one, event: changed }]));
        const kinds =
          column === 'id' || column === 'position' ? ['event_replaced', 'event_reordered'] : ['event_changed'];
        return findings.length === 1 && findings[0]?.index === index && kinds.includes(findings[0].kind);
      },
    ),
    { numRuns: 200 },
  );
  t.pass();
});

test('AUD-1: an event whose id was replaced by something that has no text is named all the same', async (t) => {
  const items = await recordWith(eventsOf([{}, {}]), [2]);
  const changed = { ...entriesOf(items)[0]?.event, id: [{ toString: 0 }] as unknown } as SealedEvent;
  const { findings } = await verdictOf(withEntry(items, 1, (one) => [{ ...one, event: changed }]));
  t.deepEqual(
    findings.map(({ kind, index }) => [kind, index]),
    [['event_replaced', 1]],
  );
});

test('AUD-1: any change of a link is found and named, also where its hash was made to fit', async (t) => {
  const fields = ['position', 'event_id', 'event_digest', 'sealed_at', 'hash'] as const;
  await fc.assert(
    fc.asyncProperty(
      records,
      fc.nat(),
      fc.constantFrom(...fields),
      fc.boolean(),
      async ({ contents, batches }, pick, field, fitting) => {
        const items = await recordWith(eventsOf(contents), batches);
        const index = 1 + (pick % contents.length);
        const previous = entriesOf(items)[index - 2]?.hash ?? '0'.repeat(64);
        const forged = withEntry(items, index, (one) => {
          const changed = {
            ...one,
            [field]: field === 'event_digest' || field === 'hash' ? 'ab'.repeat(32) : '2027-01-01T00:00:00.000Z',
          };
          const { type: _, event: __, hash: ___, ...entry } = changed;
          return [
            fitting && field !== 'hash' ? { ...changed, hash: entryHash(ORGANISATION, previous, entry) } : changed,
          ];
        });
        const { findings } = await verdictOf(forged);
        const concerned = findings.some(
          (one) => one.index === index || one.index === index + 1 || one.kind === 'chain_rewritten',
        );
        const last =
          index === contents.length &&
          fitting &&
          field === 'sealed_at' &&
          !items.some((item) => item.type === 'checkpoint' && item.index >= index);
        // What nothing signed yet and nothing follows can be written anew by whoever may write: that is what checkpoints are for.
        return last || concerned;
      },
    ),
    { numRuns: 200 },
  );
  t.pass();
});

test('AUD-1: a removed, an added, a repeated and a moved event are each found and named', async (t) => {
  await fc.assert(
    fc.asyncProperty(records, fc.nat(), fc.nat(), async ({ contents, batches }, first, second) => {
      const items = await recordWith(eventsOf(contents), batches);
      const size = contents.length;
      const [a, b] = [1 + (first % size), 1 + (second % size)];
      const entries = entriesOf(items);
      const named = async (kind: string, index: number, forged: RecordItem[]): Promise<boolean> =>
        (await verdictOf(forged)).findings.some((one) => one.kind === kind && one.index === index);
      if (
        !(await named(
          'event_missing',
          a,
          withEntry(items, a, (one) => [{ ...one, event: null }]),
        ))
      )
        return false;
      if (a < size && !(await named('entry_missing', a, recounted(withEntry(items, a, () => []))))) return false;
      if (!(await named('entry_reordered', a, recounted(withEntry(items, a, (one) => [one, one]))))) return false;
      if (a === b) return true;
      const swapped = items.map((item) =>
        item.type === 'entry' && (item.index === a || item.index === b)
          ? { ...item, event: entries[(item.index === a ? b : a) - 1]?.event ?? null }
          : item,
      );
      return (await named('event_reordered', a, swapped)) && (await named('event_reordered', b, swapped));
    }),
    { numRuns: 100 },
  );
  t.pass();
});

test('AUD-1: a cut end, a missing or replaced checkpoint, and a chain that was hashed anew are found', async (t) => {
  await fc.assert(
    fc.asyncProperty(records, fc.nat(), async ({ contents, batches }, pick) => {
      const items = await recordWith(eventsOf(contents), batches);
      const checkpoints = items.filter((item) => item.type === 'checkpoint');
      const chosen = checkpoints[pick % checkpoints.length];
      if (!chosen) return false;
      const kindsOf = async (forged: RecordItem[]): Promise<readonly string[]> =>
        (await verdictOf(recounted(forged))).findings.map(({ kind }) => kind);
      const cut = items.filter((item) => item.type !== 'entry' || item.index < chosen.index);
      const later = checkpoints.at(-1) !== chosen;
      if (!(await kindsOf(cut)).some((kind) => kind === 'end_missing' || kind === 'entry_missing')) return false;
      if (later && !(await kindsOf(items.filter((item) => item !== chosen))).includes('checkpoint_missing'))
        return false;
      // The whole record made anew, with other events, by somebody without the key.
      const other = await recordWith(
        eventsOf(contents.map((one) => ({ ...one, trace_id: 'forged' }))),
        batches,
        FOREIGN.signing,
      );
      if (!(await kindsOf(other)).includes('checkpoint_invalid')) return false;
      // The same, with the checkpoints that really were signed.
      const spliced = other.map((item) =>
        item.type === 'checkpoint' ? (checkpoints.find(({ index }) => index === item.index) ?? item) : item,
      );
      const same = contents.every((one) => one.trace_id === 'forged');
      return same || (await kindsOf(spliced)).includes('chain_rewritten');
    }),
    { numRuns: 100 },
  );
  t.pass();
});

test('AUD-1: a record that breaks off is not taken for a whole one', async (t) => {
  const items = await recordWith(eventsOf([{}, {}, {}]), [2]);
  t.deepEqual(
    (await verdictOf(items.slice(0, -1))).findings.map(({ kind }) => kind),
    ['file_incomplete'],
  );
  t.deepEqual(
    (await verdictOf(items.filter((item) => item.type !== 'entry' || item.index !== 3))).findings.map(
      ({ kind }) => kind,
    ),
    ['file_incomplete'],
  );
});

test('AUD-1: one changed hash of a link is named once, not all links behind it', async (t) => {
  const items = await recordWith(eventsOf(Array.from({ length: 10 }, () => ({}))), [20]);
  const { findings } = await verdictOf(withEntry(items, 4, (one) => [{ ...one, hash: 'cd'.repeat(32) }]));
  t.deepEqual(
    findings.map(({ kind, index }) => [kind, index]),
    [
      ['entry_changed', 4],
      ['chain_rewritten', 1],
    ],
  );
});

test('AUD-1: a checkpoint of another organisation, of an unknown key or without signature is refused', async (t) => {
  const items = await recordWith(eventsOf([{}, {}]), [2]);
  const foreign = items.map((item) => (item.type === 'begin' ? { ...item, organisation: 'org_other' } : item));
  t.true((await verdictOf(foreign)).findings.some(({ kind }) => kind === 'checkpoint_invalid'));
  const jwsOf = (change: (jws: string) => string): RecordItem[] =>
    items.map((item) => (item.type === 'checkpoint' ? { ...item, jws: change(item.jws) } : item));
  const none = Buffer.from('{"alg":"none","kid":"own","typ":"switchboard-audit-checkpoint"}').toString('base64url');
  for (const change of [
    (jws: string) => jws.slice(0, -4) + 'AAAA',
    (jws: string) => `${none}.${jws.split('.')[1] ?? ''}.`,
    () => 'nothing',
    () => '',
  ])
    t.deepEqual(
      (await verdictOf(jwsOf(change))).findings.map(({ kind }) => kind),
      ['checkpoint_invalid'],
    );
  t.is(KEYS.size, 1);
  const checkpoint = items.find((item) => item.type === 'checkpoint');
  t.is(claimsOf('checkpoint', checkpoint?.type === 'checkpoint' ? checkpoint.jws : '').index, 2);
});

test('AUD-3: a Merkle path proves its own leaf at its own place, and nothing else', (t) => {
  const hashes = (count: number): string[] =>
    Array.from({ length: count }, (_, at) => at.toString(16).padStart(64, '0'));
  for (let size = 1; size <= 33; size += 1) {
    const all = hashes(size);
    const root = merkleRoot(all);
    const stream = new MerkleStream();
    for (const hash of all) stream.add(hash);
    t.is(stream.root(), root, String(size));
    for (const [at, hash] of all.entries()) {
      const path = merklePath(all, at);
      t.is(rootByPath(hash, at, size, path), root);
      t.not(rootByPath('f'.repeat(64), at, size, path), root);
      if (size > 1) t.not(rootByPath(hash, (at + 1) % size, size, path), root);
      t.not(rootByPath(hash, at, size, [...path, root]), root);
    }
  }
  // Vectors of RFC 9162's tree over the leaves "" and "\x00", from the test data of Certificate Transparency.
  t.is(merkleRoot(['']), '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d');
  t.is(merkleRoot(['', '00']), 'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125');
});

test('AUD-1: a long end without checkpoints is found, a short one is told', async (t) => {
  const lengthy = await recordWith(eventsOf(Array.from({ length: 1_000 }, () => ({}))), []);
  t.deepEqual(
    (await verdictOf(lengthy)).findings.map(({ kind, index }) => [kind, index]),
    [['not_signed', 1]],
  );
  const { verified, findings } = await verdictOf(await recordWith(eventsOf([{}, {}, {}]), [1]));
  t.deepEqual(findings, []);
  t.is(verified.unsigned, 2);
});

test('AUD-2: a statement on what was removed counts only in front of what is left, in its own record, and signed', async (t) => {
  const items = await recordWith(eventsOf(Array.from({ length: 6 }, () => ({}))), [2, 2, 2]);
  const hash = entriesOf(items)[3]?.hash ?? '';
  const statement = {
    v: 1,
    organisation: ORGANISATION,
    at: '',
    previous: null,
    from: 1,
    through: 4,
    hash,
    removed: 4,
    before: '',
  } as const;
  const retention = async (more: object = {}, { signing } = OWN): Promise<RecordItem> => ({
    type: 'retention',
    jws: await sign('retention', { ...statement, ...more }, signing),
  });
  const [begin] = items;
  const left = items.filter(
    (item) => (item.type === 'entry' && item.index > 4) || (item.type === 'checkpoint' && item.index >= 4),
  );
  const end: RecordItem = { type: 'end', entries: 2, index: 6 };
  const kindsWith = async (...record: (RecordItem | undefined)[]): Promise<string[]> =>
    (await verdictOf(record.filter((item) => item !== undefined))).findings.map(({ kind }) => kind);
  t.deepEqual(await kindsWith(begin, await retention(), ...left, end), []);
  t.true((await kindsWith(begin, ...left, end)).includes('entry_missing'), 'without one');
  for (const wrong of [
    await retention({}, FOREIGN),
    await retention({ organisation: 'org_other' }),
    await retention({ from: 2 }),
    await retention({ previous: hash }),
  ])
    t.is((await kindsWith(begin, wrong, ...left, end))[0], 'retention_invalid');
  t.true(
    (await kindsWith(begin, await retention({ hash: 'ab'.repeat(32) }), ...left, end)).includes('retention_invalid'),
  );
  const first = items.filter((item) => item.type === 'entry' && item.index <= 2);
  t.true(
    (await kindsWith(begin, ...first, await retention(), ...left, { ...end, entries: 4 })).includes(
      'retention_invalid',
    ),
  );
});
