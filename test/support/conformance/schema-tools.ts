import type { McpServer } from '@modelcontextprotocol/server';

import type { ServedTool } from '../../../mcp-extension/serve-tools.ts';
import { fixture, text } from './tool.ts';

const SCHEMA_2020 = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
} as const;

const HEADER_SCHEMA = {
  type: 'object' as const,
  properties: {
    region: { type: 'string', description: 'Where it runs', 'x-mcp-header': 'Region' },
    priority: { type: 'string', 'x-mcp-header': 'Priority' },
  },
};

/** Fixtures whose input schema matters: every keyword has to arrive, and parameters mirrored in headers have to agree. */
export function schemaTools(server: McpServer): readonly ServedTool[] {
  const plain = fixture('json_schema_2020_12_tool', () => text('ok'));
  const mirrored = fixture('test_x_mcp_header', () => text('ok'));
  const own = server.toolInputSchemaJson.bind(server);
  // The HTTP entry asks the server for the schema before it lets a call through to any handler.
  server.toolInputSchemaJson = (name) => (name === 'test_x_mcp_header' ? HEADER_SCHEMA : own(name));
  return [
    { ...plain, definition: { ...plain.definition, inputSchema: SCHEMA_2020 as never } },
    { ...mirrored, definition: { ...mirrored.definition, inputSchema: HEADER_SCHEMA } },
  ];
}
