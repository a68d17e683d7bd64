// AVA's command line with a TAP reporter that survives every failure; started by scripts/testing/ava.ts.
import { makeTapSafe } from './tap-safe.ts';
import type { Reporter } from './tap-safe.ts';

const AVA = new URL('../../node_modules/ava/', import.meta.url);

/** AVA exports neither; a path says where they are (the version is pinned). */
const [reporter, cli] = (await Promise.all([
  import(new URL('lib/reporters/tap.js', AVA).href),
  import(new URL('lib/cli.js', AVA).href),
])) as [{ default: { prototype: Reporter } }, { default: () => Promise<void> }];

makeTapSafe(reporter.default.prototype);
await cli.default();
