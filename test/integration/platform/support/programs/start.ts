// The start command with stand-ins for the processes of the product.
import path from 'node:path';

import { runStart } from '../../../../../cli/start.ts';

const script = path.join(import.meta.dirname, 'stand-in.ts');
try {
  await runStart({
    migrations: path.resolve(import.meta.dirname, '../migrations'),
    processes: (config) => [
      { name: 'api', script, args: [String(config.apiPort), '200'], port: config.apiPort },
      { name: 'worker', script },
    ],
  });
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exit(1);
}
