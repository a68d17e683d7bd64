// Starts the embedded Postgres over the folder given and stays.
import { startEmbeddedPostgres } from '../../../../../db/embedded/server.ts';

const [dataDir = ''] = process.argv.slice(2);
const server = await startEmbeddedPostgres({ dataDir, port: 0 });
process.stdout.write(`pid ${String(server.pid)}\n`);
