import test from 'ava';

import { createLogger } from '../../../platform/log.ts';
import { scrub, scrubText } from '../../../platform/scrub.ts';

const KEY = 'sbk_live_abcDEF0123456789';

function logged(write: (log: ReturnType<typeof createLogger>) => void): string {
  const lines: string[] = [];
  write(createLogger({ name: 'test', level: 'trace', destination: { write: (line) => void lines.push(line) } }));
  return lines.join('');
}

test('AGENT-4: secrets are found by name at any depth, in arrays and maps, in any spelling', (t) => {
  let deep: unknown = {
    'X-Api-Key': 'one',
    client_secret: 'two',
    Authorization: { scheme: 'three' },
    'set-cookie': ['four'],
  };
  for (let level = 0; level < 40; level += 1) deep = level % 2 === 0 ? [deep] : { inner: deep };
  const text = JSON.stringify(scrub({ deep, map: new Map([['refreshToken', 'five']]) }));
  for (const secret of ['one', 'two', 'three', 'four', 'five']) t.false(text.includes(`"${secret}"`), secret);
});

test('AGENT-4: secrets are found by shape in any text', (t) => {
  const text = scrubText(
    `key ${KEY}, Bearer abc.def-123, postgres://app:pa55@h/db, eyJhbGciOiJI.eyJzdWIi.c2ln, password=geheim whsec_MfKQ9r8G`,
  );
  for (const secret of [KEY, 'abc.def-123', 'pa55', 'eyJ', 'geheim', 'MfKQ']) t.false(text.includes(secret), secret);
  t.true(text.includes('postgres://app:[redacted]@h/db'));
});

test('AGENT-4: harmless fields of a similar name stay readable', (t) => {
  const fields = { max_tokens: 5, token_count: 7, next: 'page', keyboard: 'de', secretary: 'Ann', has_password: true };
  t.deepEqual(scrub(fields), fields);
});

test('AGENT-4: cycles, dates, bytes and throwing getters do not lose the line', (t) => {
  const cyclic: Record<string, unknown> = { at: new Date(0), bytes: Buffer.from('secret'), big: 1n };
  cyclic['self'] = cyclic;
  Object.defineProperty(cyclic, 'bad', {
    enumerable: true,
    get: () => {
      throw new Error('no');
    },
  });
  t.deepEqual(scrub(cyclic), {
    at: '1970-01-01T00:00:00.000Z',
    bytes: '[6 bytes]',
    big: '1',
    self: '[circular]',
    bad: '[unreadable]',
  });
});

test('AGENT-4: neither message, fields, error, cause, bindings of a child nor format arguments carry a secret', (t) => {
  const cause = Object.assign(new Error(`inner ${KEY}`), {
    config: { headers: { authorization: 'Bearer topsecret1' } },
  });
  const output = logged((log) => {
    log.info(`plain ${KEY}`);
    log.info({ nested: { list: [{ token: 'topsecret2' }] } }, 'with %s', KEY);
    log.error({ err: new Error(`outer ${KEY}`, { cause }) });
    log.error(new AggregateError([cause], 'many'));
    log.child({ api_key: 'topsecret3', note: KEY }).warn('child');
  });
  for (const secret of [KEY, 'topsecret1', 'topsecret2', 'topsecret3']) t.false(output.includes(secret), secret);
  const lines = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  t.is(lines.length, 5);
  t.is(lines[0]?.['level'], 'info');
  t.is(lines[2]?.['name'], 'test');
  t.like(lines[2]?.['err'], { type: 'Error', message: 'outer [redacted]', cause: { message: 'inner [redacted]' } });
});
