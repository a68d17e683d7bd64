import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';

/** Set to `true`, children end with their parent even where that is killed with -9; `npm test`, benchmarks and chaos set it. */
const ASKED = 'SWITCHBOARD_TEST_WATCHDOG';

// Each line is the list of groups as it is now. The input ends with the parent, however it ends: then those that are
// left are asked to end, and killed after three seconds. A shell, because it takes a megabyte where Node takes forty.
const SCRIPT = `
while read -r line; do groups=$line; done
for group in $groups; do kill -s TERM -- "-$group"; done
tries=0
while [ -n "$groups" ] && [ $tries -lt 30 ]; do
  left=
  for group in $groups; do kill -s 0 -- "-$group" && left="$left $group"; done
  groups=$left tries=$((tries + 1))
  [ -z "$groups" ] || sleep 0.1
done
for group in $groups; do kill -s KILL -- "-$group"; done
`;

const groups = new Set<number>();
let input: Writable | undefined;

function start(): Writable | undefined {
  // A session of its own: what ends our group must not end it. It reads nothing of ours but the pipe.
  const child = spawn('/bin/sh', ['-c', SCRIPT], { cwd: '/', detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  child.on('error', () => undefined).unref();
  child.stdin.on('error', () => undefined);
  // The pipe alone must not keep this process alive; it is a socket, which its type does not tell.
  if (child.stdin instanceof Socket) child.stdin.unref();
  return child.stdin;
}

const tell = (): void => void input?.write(`${[...groups].join(' ')}\n`);

/** Has a process group end with this process, whatever ends that, if the environment asks for it; answers how to forget it. */
export function endWithUs(group: number): () => void {
  if (process.env[ASKED] !== 'true' || process.platform === 'win32') return () => undefined;
  input ??= start();
  groups.add(group);
  tell();
  return () => {
    if (groups.delete(group)) tell();
  };
}
