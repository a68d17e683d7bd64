import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

import { z } from 'zod';

import type { RecordItem } from './stream.ts';

const Line = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('begin'),
    organisation: z.string(),
    after: z.object({ index: z.int(), hash: z.string() }),
    checkpoint: z.string().nullable(),
  }),
  z.object({ type: z.literal('retention'), jws: z.string() }),
  z.object({
    type: z.literal('entry'),
    index: z.int(),
    position: z.string(),
    event_id: z.string(),
    event_digest: z.string(),
    sealed_at: z.string(),
    hash: z.string(),
    event: z.record(z.string(), z.json()).nullable(),
  }),
  z.object({ type: z.literal('checkpoint'), index: z.int(), jws: z.string() }),
  z.object({ type: z.literal('end'), entries: z.int(), index: z.int() }),
]);

/** A line of an exported record (ndjson). */
export const exportLine = (item: RecordItem): string => `${JSON.stringify(item)}\n`;

/** Reads a line of an exported record; undefined where it is none. */
export function readExportLine(text: string): RecordItem | undefined {
  try {
    const parsed = Line.safeParse(JSON.parse(text));
    return parsed.success ? (parsed.data as RecordItem) : undefined;
  } catch {
    return undefined;
  }
}

/** The lines of an exported file, one at a time. */
export async function* readExport(file: string): AsyncGenerator<RecordItem> {
  let at = 0;
  for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    at += 1;
    const item = readExportLine(text);
    if (!item) throw new Error(`Line ${String(at)} of ${file} is no line of an exported record.`);
    yield item;
  }
}
