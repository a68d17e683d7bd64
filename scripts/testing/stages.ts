import { globSync, statSync } from 'node:fs';
import path from 'node:path';

/** The stages of `npm test`, in order; a file belongs to one by its folder. */
export const STAGES = ['unit', 'integration', 'e2e'] as const;
export type Stage = (typeof STAGES)[number];

/** What shall run: test files by stage, and what is passed on to AVA. */
export interface Plan {
  readonly files: Readonly<Record<Stage, readonly string[]>>;
  readonly options: readonly string[];
}

const isStage = (text: string): text is Stage => (STAGES as readonly string[]).includes(text);

/** Reads `[unit|integration|e2e|<file, folder or glob> …] [--match <title> …]`; throws one line on what it cannot read. */
export function planOf(root: string, args: readonly string[]): Plan {
  const options: string[] = [];
  const wanted: string[] = [];
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? '';
    if (arg === '--match' || arg === '-m') options.push('--match', valueAfter(args, (at += 1)));
    else if (arg.startsWith('--match=')) options.push(arg);
    else if (arg.startsWith('-'))
      throw new Error(`Unknown option ${arg}: npm test -- [unit|integration|e2e|<files>] [--match <title>]`);
    else wanted.push(...filesOf(root, arg));
  }
  const files = wanted.length > 0 ? [...new Set(wanted)].sort() : STAGES.flatMap((stage) => stageFiles(root, stage));
  const ofStage = (stage: Stage): string[] => files.filter((file) => file.startsWith(`test/${stage}/`));
  return { files: { unit: ofStage('unit'), integration: ofStage('integration'), e2e: ofStage('e2e') }, options };
}

function valueAfter(args: readonly string[], at: number): string {
  const value = args[at];
  if (value === undefined) throw new Error('--match needs a title, e.g. --match "TASK-3:*"');
  return value;
}

const testsBelow = (root: string, pattern: string): string[] =>
  globSync(pattern, { cwd: root })
    .map((file) => file.split(path.sep).join('/'))
    .filter((file) => file.endsWith('.test.ts'))
    .sort();

const stageFiles = (root: string, stage: Stage): string[] => testsBelow(root, `test/${stage}/**/*.test.ts`);

function filesOf(root: string, wanted: string): string[] {
  if (isStage(wanted)) return stageFiles(root, wanted);
  const relative = path.relative(root, path.resolve(root, wanted));
  const folder = statSync(path.join(root, relative), { throwIfNoEntry: false })?.isDirectory() === true;
  const files = testsBelow(root, folder ? `${relative}/**/*.test.ts` : relative);
  if (!files.every((file) => STAGES.some((stage) => file.startsWith(`test/${stage}/`))) || files.length === 0)
    throw new Error(`${wanted} names no test: stages are ${STAGES.join(', ')}, files are test/<stage>/**/*.test.ts.`);
  return files;
}
