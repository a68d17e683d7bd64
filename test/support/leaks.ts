import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import pg from 'pg';

/** A piece of what is stored somewhere, by name. */
export interface Stored {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Where a value was found, and in which form. */
export interface Leak {
  readonly value: string;
  readonly form: string;
  readonly where: string;
}

// Three alignments: base64 of a longer text holds the middle of the value's in one of them.
function base64Forms(bytes: Buffer): string[] {
  return [0, 1, 2].map((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replaceAll('=', '');
    // The first characters depend on what stands before the value, the last on what follows.
    return encoded.slice(before === 0 ? 0 : before + 1, (bytes.length + before) % 3 === 0 ? undefined : -1);
  });
}

/** The forms in which a value may be written: as it is, without spaces and dashes, and in other encodings. */
export function formsOf(value: string): readonly (readonly [string, Buffer])[] {
  const compact = value.replaceAll(/[\s-]/g, '');
  const spellings = [...new Set([value, compact])];
  return spellings.flatMap((text): (readonly [string, Buffer])[] => {
    const utf8 = Buffer.from(text);
    const escaped = Array.from(text, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
    return [
      ['as it is', utf8],
      ['UTF-16', Buffer.from(text, 'utf16le')],
      ['hexadecimal', Buffer.from(utf8.toString('hex'))],
      ['JSON escapes', Buffer.from(escaped)],
      ['URL encoding', Buffer.from(encodeURIComponent(text))],
      ...base64Forms(utf8).map((encoded) => ['base64', Buffer.from(encoded)] as const),
    ];
  });
}

/** Every place where one of the values stands, in whatever form. */
export function leaksIn(stored: readonly Stored[], values: readonly string[]): Leak[] {
  return values.flatMap((value) => {
    const forms = formsOf(value);
    return stored.flatMap(({ name, bytes }) =>
      forms.flatMap(([form, needle]) => (bytes.includes(needle) ? [{ value, form, where: name }] : [])),
    );
  });
}

/** All files below a folder, but for those whose path matches. */
export function filesIn(folder: string, name: string, except = /^$/): Stored[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => !except.test(file))
    .flatMap((file) => {
      const bytes = contentOf(file);
      return bytes === undefined ? [] : [{ name: `${name}/${path.relative(folder, file)}`, bytes }];
    });
}

function contentOf(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    // Servers run: a file may go between the listing and the reading.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Every table as text, one piece a column, so that what Postgres compressed is searched too. */
export async function tablesOf(superuserUrl: string): Promise<Stored[]> {
  const client = new pg.Client({ connectionString: superuserUrl });
  await client.connect();
  try {
    await client.query('CHECKPOINT');
    const columns = await client.query<{ table: string; column: string }>(
      `SELECT table_name AS table, column_name AS column FROM information_schema.columns WHERE table_schema = 'public'`,
    );
    const stored: Stored[] = [];
    for (const { table, column } of columns.rows) {
      const { rows } = await client.query<{ text: string | null }>(`SELECT "${column}"::text AS text FROM "${table}"`);
      stored.push({
        name: `table ${table}.${column}`,
        bytes: Buffer.from(rows.map(({ text }) => text ?? '').join('\n')),
      });
    }
    return stored;
  } finally {
    await client.end();
  }
}
