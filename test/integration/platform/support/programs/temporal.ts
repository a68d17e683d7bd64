// Starts the Temporal development server over the folder given and stays.
import { startDevServer } from '../../../../../temporal/dev-server.ts';

const [folder = ''] = process.argv.slice(2);
const server = await startDevServer({ folder, port: 0, uiPort: 0, namespace: 'default' });
process.stdout.write(`pid ${String(server.pid)}\n`);
