import type { WirePayload } from '../../contracts/codec.ts';

/** A history as JSON: what `historyToJSON` of the SDK writes. */
export interface HistoryJson {
  readonly events: readonly EventJson[];
}
type EventJson = Readonly<Record<string, unknown>> & { readonly eventType: string };

type Transform = (payload: WirePayload, workflowId: string) => Promise<WirePayload>;

// Never through a codec: Temporal itself reads them.
const NOT_PAYLOADS = new Set(['searchAttributes', 'header']);

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isPayload = (value: Record<string, unknown>): value is WirePayload =>
  isObject(value['metadata']) && typeof value['metadata']['encoding'] === 'string';

/** The workflow whose history this is. */
export function workflowIdOf({ events }: HistoryJson): string {
  const started = events[0]?.['workflowExecutionStartedEventAttributes'];
  const id = isObject(started) ? started['workflowId'] : undefined;
  if (typeof id !== 'string') throw new Error('The history does not begin with the start of a workflow.');
  return id;
}

/** The history with every payload transformed, each with the id of the workflow that it is bound to. */
export async function mapPayloads(history: HistoryJson, transform: Transform): Promise<HistoryJson> {
  const own = workflowIdOf(history);
  const events = history.events.map((event) => walk(event, ownerIn(event) ?? own, transform) as Promise<EventJson>);
  return { ...history, events: await Promise.all(events) };
}

/** What a child workflow was given and answered is bound to the child; a signal to whom it is sent to. */
function ownerIn(event: EventJson): string | undefined {
  for (const [name, attributes] of Object.entries(event)) {
    if (!/^(child|startChild|signalExternal)Workflow/.test(name) || !isObject(attributes)) continue;
    const execution = attributes['workflowExecution'];
    const id = isObject(execution) ? execution['workflowId'] : attributes['workflowId'];
    if (typeof id === 'string') return id;
  }
  return undefined;
}

async function walk(value: unknown, owner: string, transform: Transform): Promise<unknown> {
  if (Array.isArray(value)) return Promise.all(value.map((item) => walk(item, owner, transform)));
  if (!isObject(value)) return value;
  if (isPayload(value)) return transform(value, owner);
  // Which patches a run took is the SDK's core's own note: no codec ever sees it.
  if (value['markerName'] === 'core_patch') return value;
  const isLocalActivity = value['markerName'] === 'core_local_activity';
  const entries = Object.entries(value).map(async ([name, inner]) => {
    if (NOT_PAYLOADS.has(name)) return [name, inner] as const;
    if (isLocalActivity && name === 'details' && isObject(inner)) {
      // What the SDK's core notes of a local activity, beside its result, is not ours to encrypt.
      const { data, ...details } = inner;
      return [name, { ...((await walk(details, owner, transform)) as object), data }] as const;
    }
    return [name, await walk(inner, owner, transform)] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}
