import { cruise } from 'dependency-cruiser';
import type { IModule } from 'dependency-cruiser';

import { between } from './generated.ts';
import type { Generated } from './generated.ts';

/** Rooms in the order they are drawn: edges first, vocabulary last. */
const ROOMS = [
  ...['cli', 'mcp-extension', 'api', 'workers', 'workflows', 'activities', 'privacy', 'directory', 'policy'],
  'identity',
  ...['temporal', 'db', 'platform', 'contracts'],
];
/** Everything imports these; their arrows would hide the others. */
const EVERYWHERE = ['contracts', 'platform'];

const roomOf = (file: string): string => file.slice(0, file.indexOf('/'));

function edgesOf(modules: readonly IModule[]): string[] {
  const pairs = modules.flatMap(({ source, dependencies }) =>
    dependencies.map(({ resolved }) => [roomOf(source), roomOf(resolved)] as const),
  );
  const drawn = pairs.filter(
    ([from, to]) => from !== to && ROOMS.includes(from) && ROOMS.includes(to) && !EVERYWHERE.includes(to),
  );
  return [...new Set(drawn.map(([from, to]) => `  ${from} --> ${to}`))].sort();
}

async function diagram(): Promise<string> {
  const { output } = await cruise(ROOMS, {
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { extensions: ['.ts'] },
  });
  if (typeof output === 'string') throw new Error('dependency-cruiser answered text instead of modules.');
  const edges = [...edgesOf(output.modules), '  workers -. by path .-> workflows'];
  return ['```mermaid', 'flowchart TD', ...edges, '```'].join('\n');
}

/** Which room really imports which, in ARCHITECTURE.md. */
export const importDiagram: Generated = {
  file: 'ARCHITECTURE.md',
  text: async (present) => between(present, await diagram(), 'ARCHITECTURE.md'),
};
