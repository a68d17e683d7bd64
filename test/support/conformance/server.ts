import { McpServer, ResourceNotFoundError } from '@modelcontextprotocol/server';

import { TASKS_EXTENSION } from '../../../mcp-extension/client-capabilities.ts';
import { serveSubscriptions } from '../../../mcp-extension/events/subscriptions.ts';
import type { BuildServer } from '../../../mcp-extension/http.ts';
import { serveTools } from '../../../mcp-extension/serve-tools.ts';
import { serveTasks } from '../../../mcp-extension/tasks/serve-tasks.ts';
import { clientRequestTools } from './client-request-tools.ts';
import { contentTools } from './content-tools.ts';
import { registerFixturePrompts, registerFixtureResources } from './documents.ts';
import { codec, inputTools } from './input-tools.ts';
import { schemaTools } from './schema-tools.ts';
import { FixtureTasks, taskTools } from './task-tools.ts';

/**
 * The test profile: what the public conformance suite expects to find, on the product's transport, sessions, guards,
 * and its code for tools, subscriptions and tasks.
 */
export function conformanceProfile(): BuildServer {
  const tasks = new FixtureTasks();
  return (_keys, era) => {
    const server = new McpServer(
      { name: 'switchboard-conformance', version: '1.0.0' },
      {
        requestState: { verify: (state, ctx) => codec.verify(state, ctx) },
        capabilities: {
          tools: { listChanged: false },
          resources: { listChanged: false, subscribe: true },
          prompts: { listChanged: false },
          ...(era === 'legacy' ? { logging: {} } : { extensions: { [TASKS_EXTENSION]: {} } }),
        },
      },
    );
    const tools = [
      ...contentTools,
      ...clientRequestTools,
      ...inputTools(server),
      ...taskTools(server, tasks),
      ...schemaTools(server),
    ];
    serveTools(server, () => Promise.resolve(tools));
    registerFixturePrompts(server);
    registerFixtureResources(server);
    serveSubscriptions(
      server,
      () => () => undefined,
      (uri) => (uri.startsWith('test://') ? Promise.resolve() : Promise.reject(new ResourceNotFoundError(uri))),
    );
    if (era === 'modern') serveTasks(server, tasks);
    return server;
  };
}
