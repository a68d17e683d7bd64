import { writeFileSync } from 'node:fs';

import { bundleWorkflows } from './orchestrator.ts';

// Bundles the workflows into a file: `node workers/bundle.ts <file>`. A process of its own, since the bundler takes some
// 200 MiB that a worker would keep for ever.
const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('Say where to: node workers/bundle.ts <file>');
const { code } = await bundleWorkflows();
writeFileSync(file, code);
