import type { ServerContext, Tool } from '@modelcontextprotocol/server';

const FIELD = 'as_task';
const META = 'switchboard/task';

const DESCRIPTION =
  'true: answer with a task handle of the protocol and let the client wait for the end; otherwise answers at once.';

/** A tool that can answer with a handle, as it is shown to clients that know the task extension. */
export function offerHandle(tool: Tool): Tool {
  const { properties } = tool.inputSchema;
  const field = { type: 'boolean', default: false, description: DESCRIPTION };
  return { ...tool, inputSchema: { ...tool.inputSchema, properties: { ...properties, [FIELD]: field } } };
}

/**
 * Whether a call asks for a handle, by the field `as_task` or in its `_meta`, and the arguments without the wish.
 * A client that knows the extension does not thereby want to wait for every task it sends.
 */
export function readWish(given: unknown, { mcpReq }: ServerContext): { wished: boolean; rest: unknown } {
  const byMeta = mcpReq._meta?.[META] === true;
  if (typeof given !== 'object' || given === null || !(FIELD in given)) return { wished: byMeta, rest: given };
  const { [FIELD]: wish, ...rest } = given;
  // Any other value stays among the arguments, where it is refused by name.
  return typeof wish === 'boolean' ? { wished: wish || byMeta, rest } : { wished: false, rest: given };
}
