import pg from 'pg';

import { memoryOf } from './memory.ts';
import type { BenchStack } from './stack.ts';

const ROLES = ['analyst', 'developer', 'finance', 'hr', 'legal', 'marketing', 'support', 'manager'] as const;
const HEADER = 'user_id,reports_to_id,name,role,email,department,title,locale,status,manager_email';

/** An invented chart: seven people report to each manager; rows in no order. */
function chartOf(people: number, changed = 0, first = 1): string {
  const rows: string[] = [];
  for (let n = first; n <= people; n += 1) {
    const manager = n === 1 ? '' : String(Math.floor((n - 2) / 7) + 1);
    const title = n <= changed ? 'Changed' : 'Clerk';
    // The head imports: with another role she would be signed out.
    const role = n === 1 ? 'manager' : (ROLES[n % ROLES.length] ?? 'support');
    rows.push(
      `${String(n)},${manager},"Person, ${String(n)}",${role},p${String(n)}@bench.example,Dept ${String(n % 97)},${title},en-US,,`,
    );
  }
  // 7,919 is prime to every length used: each row once, far from its neighbours.
  const mixed = rows.map((_, at) => rows[(at * 7_919) % rows.length] ?? '');
  return `${[HEADER, ...mixed].join('\n')}\n`;
}

interface Sent {
  readonly seconds: number;
  readonly answer: Record<string, unknown>;
}

async function send({ apiUrl, member }: BenchStack, csv: string, query: string): Promise<Sent> {
  const started = performance.now();
  const response = await fetch(`${apiUrl}/admin/org/import${query}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await member('Helena Voss').token()}`, 'content-type': 'text/csv' },
    body: csv,
  });
  const answer = (await response.json()) as Record<string, unknown>;
  if (!response.ok)
    throw new Error(`The import answered ${String(response.status)}: ${JSON.stringify(answer).slice(0, 500)}`);
  return { seconds: (performance.now() - started) / 1000, answer };
}

/** What a connection of `pg` can do beside what its types tell. */
interface Copying {
  query(text: string): void;
  sendCopyFromChunk(data: Buffer): void;
  endCopyFrom(): void;
}

/** COPY … FROM STDIN over the wire, as a query object of `pg`: all chunks at once, since they are in memory anyway. */
const copyFrom = (text: string, data: Buffer, done: (error?: Error) => void) => ({
  submit: (connection: Copying) => {
    connection.query(text);
  },
  handleCopyInResponse: (connection: Copying) => {
    connection.sendCopyFromChunk(data);
    connection.endCopyFrom();
  },
  handleCommandComplete: () => undefined,
  handleReadyForQuery: () => {
    done();
  },
  handleError: (error: Error) => {
    done(error);
  },
});

/** The floor: the same rows into one bare table, unchecked. */
async function bareCopy(url: string, csv: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const columns = HEADER.split(',').map((name) => `${name} text`);
    await client.query(`CREATE TABLE bench_copy (${columns.join(', ')})`);
    const started = performance.now();
    await new Promise<void>((resolve, reject) => {
      const done = (error?: Error): void => {
        if (error) reject(error);
        else resolve();
      };
      client.query(
        copyFrom(
          'COPY bench_copy FROM STDIN (FORMAT csv, HEADER)',
          Buffer.from(csv),
          done,
        ) as unknown as pg.Submittable,
      );
    });
    return (performance.now() - started) / 1000;
  } finally {
    await client.query('DROP TABLE IF EXISTS bench_copy');
    await client.end();
  }
}

/** 50,000 people by one file: first, again, changed; beside rows that are only put into a table. */
export async function benchImport(bench: BenchStack, people: number): Promise<void> {
  const api = bench.stack.pid(bench.apis[0] ?? 'api');
  const csv = chartOf(people);
  const size = (Buffer.byteLength(csv) / 1024 / 1024).toFixed(1);
  console.log(`${people.toLocaleString('en')} rows, ${size} MiB; API at rest ${memoryOf(api).now.toFixed(0)} MiB\n`);
  console.log('| step | time | rows/s | changed | peak RSS of the API |\n| --- | --- | --- | --- | --- |');
  const step = async (name: string, file: string, query = ''): Promise<void> => {
    const { seconds, answer } = await send(bench, file, query);
    const changed = ['created', 'updated', 'deactivated'].map((what) => String(answer[`users_${what}`])).join(' / ');
    const rate = Math.round(people / seconds).toLocaleString('en');
    console.log(`| ${name} | ${seconds.toFixed(1)} s | ${rate} | ${changed} | ${memoryOf(api).peak.toFixed(0)} MiB |`);
  };
  // The demo organisation's people have ids 1 to 12: their head stays the administrator.
  await step('dry run', csv, '?dry_run=true');
  await step('first import', csv);
  await step('the same file again', csv);
  await step('a tenth changed', chartOf(people, people / 10));
  await step('a tenth leaves', chartOf(people * 0.9, people / 10));
  const floor = await bareCopy(bench.stack.config.databaseOwnerUrl, csv);
  console.log(
    `| floor: COPY into one bare table | ${floor.toFixed(1)} s | ${Math.round(people / floor).toLocaleString('en')} | | |`,
  );
}
