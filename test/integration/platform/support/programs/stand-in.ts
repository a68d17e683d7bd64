// Stands in for a process of the product: serves a port (0: none), drains on request, dies on GET /die.
import http from 'node:http';

import { reportReady } from '../../../../../platform/ready.ts';
import { onShutdown } from '../../../../../platform/shutdown.ts';

const [port = '0', drainMs = '0'] = process.argv.slice(2);
const server = http.createServer((request, response) => {
  if (request.url === '/die') throw new Error('stand-in was told to die');
  response.end(process.env['SWITCHBOARD_DATABASE_OWNER_URL'] ?? 'no owner');
});
onShutdown('stand-in', () => new Promise((resolve) => setTimeout(resolve, Number(drainMs))));
server.listen(Number(port), '127.0.0.1', reportReady);
