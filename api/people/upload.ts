import { createHash } from 'node:crypto';
import { open, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import busboy from 'busboy';
import type { Request } from 'express';

import type { ChartSource } from '../../directory/import.ts';
import { newId } from '../../platform/ids.ts';
import { ApiError } from '../problem.ts';

/** The largest org chart, in bytes. Other bodies keep their own, smaller limit. */
export const MAX_CHART_BYTES = 64 * 1024 * 1024;
/** What is too large is still read to its end, up to this: most clients hear an answer only when they have sent all. */
const MAX_READ_BYTES = 2 * MAX_CHART_BYTES;
const PIECE = 64 * 1024;

/** A file that was sent, kept aside until it is closed; nothing of it stays, however the process ends. */
export interface Upload extends ChartSource {
  readonly filename: string;
  readonly digest: string;
  /** Fields of the form beside the file. */
  readonly fields: Readonly<Record<string, string>>;
  close(): Promise<void>;
}
type Spooled = Pick<Upload, 'digest' | 'read' | 'close'>;

const malformed = (detail: string): ApiError => new ApiError({ code: 'malformed_body', detail });
const tooLarge = (): ApiError => new ApiError({ code: 'payload_too_large', detail: 'The file is larger than 64 MiB.' });

async function* piecesOf(file: FileHandle): AsyncGenerator<Buffer> {
  for (let at = 0; ;) {
    const piece = Buffer.allocUnsafe(PIECE);
    const { bytesRead } = await file.read(piece, 0, PIECE, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield piece.subarray(0, bytesRead);
  }
}

/** A file without a name: only this process reaches it, and it goes with the process. */
async function openNameless(): Promise<FileHandle> {
  const name = path.join(tmpdir(), `switchboard-${newId('content')}`);
  const file = await open(name, 'wx+', 0o600);
  await unlink(name);
  return file;
}

/** Puts bytes aside, counting, hashing and checking that they are UTF-8. */
async function spool(bytes: AsyncIterable<Buffer>): Promise<Spooled> {
  const file = await openNameless();
  try {
    const hash = createHash('sha256');
    const decoder = new TextDecoder('utf-8', { fatal: true });
    let size = 0;
    for await (const chunk of bytes) {
      size += chunk.length;
      if (size > MAX_CHART_BYTES) throw tooLarge();
      decoder.decode(chunk, { stream: true });
      hash.update(chunk);
      await file.write(chunk);
    }
    decoder.decode();
    return { digest: hash.digest('hex'), read: () => piecesOf(file), close: () => file.close() };
  } catch (error) {
    await file.close();
    if (error instanceof TypeError) throw malformed('The file is not valid UTF-8.');
    throw error;
  }
}

/** The name of the file alone, without folders; names are shown to administrators. */
const nameOf = (given: string | undefined): string =>
  (given ?? '')
    .replaceAll(/^.*[\\/]/gs, '')
    .replaceAll(/\p{Cc}/gu, '')
    .slice(0, 200) || 'people.csv';

async function receiveForm(req: Request): Promise<Upload> {
  const parser = parserFor(req);
  const fields: Record<string, string> = {};
  const files: { readonly filename: string; readonly spooled: Promise<Spooled> }[] = [];
  parser.on('field', (name, value) => (fields[name.slice(0, 100)] = value));
  parser.on('file', (name, stream: Readable, { filename }) => {
    // A part that breaks off tells so before anybody waits for it.
    stream.on('error', () => undefined);
    const spooled = name === 'file' ? spoolOf(stream) : undefined;
    spooled?.catch(() => undefined);
    if (spooled) files.push({ filename: nameOf(filename), spooled });
    else stream.resume();
  });
  const [read] = await Promise.allSettled([pipeline(req, parser)]);
  const settled = await Promise.allSettled(files.map((one) => one.spooled));
  const [first] = settled;
  const failed = settled.find((one) => one.status === 'rejected');
  if (!failed && read.status === 'fulfilled' && first?.status === 'fulfilled' && files.length === 1)
    return { ...first.value, filename: files[0]?.filename ?? '', fields };
  for (const one of settled) if (one.status === 'fulfilled') await one.value.close();
  if (failed && isOurs(failed.reason)) throw failed.reason;
  if (failed || read.status === 'rejected')
    throw malformed('The form is not complete, or not encoded as its headers say.');
  throw malformed('The form must carry one CSV file in the field file.');
}

/** Refusals, and failures of this machine; what is left is a form that broke off. */
const isOurs = (error: unknown): boolean => error instanceof ApiError || (error instanceof Error && 'code' in error);

/** Reads a part to its end even where it is refused, so that the rest of the form is read too. */
async function spoolOf(stream: Readable): Promise<Spooled> {
  try {
    // A destroyed part would stop the parser for ever.
    const spooled = await spool(stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>);
    if (!('truncated' in stream) || stream.truncated !== true) return spooled;
    await spooled.close();
    throw tooLarge();
  } finally {
    stream.resume();
  }
}

function parserFor(req: Request): busboy.Busboy {
  try {
    return busboy({
      headers: req.headers,
      defParamCharset: 'utf8',
      limits: { files: 1, fileSize: MAX_CHART_BYTES, fields: 10, fieldSize: 1_000, fieldNameSize: 100, parts: 12 },
    });
  } catch {
    throw malformed('The Content-Type of the form has no boundary.');
  }
}

/** Reads the rest of a body, as far as anybody may send. */
async function readOut(req: Request): Promise<void> {
  let left = MAX_READ_BYTES;
  for await (const chunk of req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>)
    if ((left -= chunk.length) < 0) return;
}

/** Takes the file of a request: a form with the field `file`, or the CSV as the body. Close what it answers. */
export async function receiveChart(req: Request): Promise<Upload> {
  if (Number(req.get('content-length') ?? 0) > MAX_READ_BYTES) throw tooLarge();
  if (req.get('content-encoding') !== undefined)
    throw new ApiError({ code: 'unsupported_media_type', detail: 'Send the file as it is, not compressed.' });
  if (req.is('multipart/form-data') !== false) return receiveForm(req);
  if (req.is('text/csv') === false)
    throw new ApiError({
      code: 'unsupported_media_type',
      detail: 'Send multipart/form-data with the field file, or the file itself as text/csv.',
    });
  const spooled = await spool(req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>).catch(
    async (error: unknown) => {
      await readOut(req);
      throw error;
    },
  );
  return { ...spooled, filename: nameOf(undefined), fields: {} };
}
