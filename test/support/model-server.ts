import { once } from 'node:events';
import http from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the scripted model says next: a text, or a tool call by the end of the tool's name. */
export type ModelTurn =
  { readonly text: string } | { readonly tool: string; readonly arguments: Readonly<Record<string, unknown>> };

/** What a script sees of the conversation. */
export interface Conversation {
  /** Names of the tools that the client offered, as the client calls them. */
  readonly offered: readonly string[];
  /** Texts of the tool results so far, oldest first. */
  readonly results: readonly string[];
}

/** A running model server. */
export interface ModelServer {
  /** Root address; chat completions are below /v1. */
  readonly url: string;
  /** The conversation at each request that offered tools. */
  readonly seen: readonly Conversation[];
  close(): Promise<void>;
}

interface Message {
  readonly role?: string;
  readonly content?: unknown;
}
interface ChatRequest {
  readonly model?: string;
  readonly stream?: boolean;
  readonly messages?: readonly Message[];
  readonly tools?: readonly { readonly function?: { readonly name?: string } }[];
}

/** A model that follows a script, over the wire format of OpenAI's chat completions, streamed or not. */
export async function startModelServer(script: (conversation: Conversation) => ModelTurn): Promise<ModelServer> {
  const seen: Conversation[] = [];
  const server = http.createServer((request, response) => {
    void answer(request, response, script, seen).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(port)}`,
    seen,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  script: (conversation: Conversation) => ModelTurn,
  seen: Conversation[],
): Promise<void> {
  if (!request.url?.endsWith('/chat/completions')) {
    sendJson(response, { object: 'list', data: [{ id: 'scripted', object: 'model' }] });
    return;
  }
  const body = await readBody(request);
  const conversation = conversationOf(body);
  const withTools = conversation.offered.length > 0;
  if (withTools) seen.push(conversation);
  const message = messageOf(withTools ? script(conversation) : { text: 'A title' }, conversation);
  if (body.stream === true) sendStream(response, body, message);
  else sendJson(response, completionOf(body, 'chat.completion', { message }, finishOf(message)));
}

async function readBody(request: IncomingMessage): Promise<ChatRequest> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return JSON.parse(Buffer.concat(parts).toString()) as ChatRequest;
}

function conversationOf({ messages = [], tools = [] }: ChatRequest): Conversation {
  return {
    offered: tools.map((tool) => tool.function?.name ?? ''),
    results: messages.filter(({ role }) => role === 'tool').map(({ content }) => textOf(content)),
  };
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part: { text?: string }) => part.text ?? '').join('\n');
}

interface ModelMessage {
  readonly role: 'assistant';
  readonly content: string | null;
  readonly tool_calls?: readonly unknown[];
}

/** Clients put their own prefix before a tool's name; the script names the tool as the server does. */
function messageOf(turn: ModelTurn, { offered, results }: Conversation): ModelMessage {
  if ('text' in turn) return { role: 'assistant', content: turn.text };
  const name = offered.find((each) => each === turn.tool || each.endsWith(`__${turn.tool}`));
  if (name === undefined) return { role: 'assistant', content: `The tool ${turn.tool} is not offered.` };
  const call = {
    index: 0,
    id: `call_${String(results.length + 1)}`,
    type: 'function',
    function: { name, arguments: JSON.stringify(turn.arguments) },
  };
  return { role: 'assistant', content: null, tool_calls: [call] };
}

const finishOf = (message: ModelMessage): string => (message.tool_calls ? 'tool_calls' : 'stop');

const completionOf = (body: ChatRequest, object: string, choice: object, finish: string | null): object => ({
  id: 'chatcmpl-1',
  object,
  created: 1,
  model: body.model ?? 'scripted',
  choices: [{ index: 0, finish_reason: finish, ...choice }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
});

function sendJson(response: ServerResponse, value: object): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function sendStream(response: ServerResponse, body: ChatRequest, message: ModelMessage): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (value: object): void => void response.write(`data: ${JSON.stringify(value)}\n\n`);
  send(completionOf(body, 'chat.completion.chunk', { delta: message }, null));
  send(completionOf(body, 'chat.completion.chunk', { delta: {} }, finishOf(message)));
  response.end('data: [DONE]\n\n');
}
