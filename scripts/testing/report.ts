import type { Stage } from './stages.ts';
import type { TapResult } from './tap.ts';

const EVERY_MS = 5_000;
const YAML_FENCE = /^ *(---|\.\.\.)$/;

/** Prints what happens while a stage runs: failures whole, other tests by name where they take their time. */
export class StageReport {
  private readonly stage: Stage;
  private readonly print: (line: string) => void;
  private readonly now: () => number;
  private ran = 0;
  private toldAt: number;

  constructor(stage: Stage, print: (line: string) => void, now: () => number = Date.now) {
    this.stage = stage;
    this.print = print;
    this.now = now;
    this.toldAt = now();
  }

  result({ outcome, title, details }: TapResult): void {
    this.ran += 1;
    if (outcome === 'failed')
      this.print(
        [`  ✘ ${title}`, ...details.filter((line) => !YAML_FENCE.test(line)).map((line) => `    ${line}`)].join('\n'),
      );
    else if (outcome === 'skipped') this.print(`  - ${title}`);
    else if (this.stage !== 'unit') this.print(`  ✔ ${title}`);
    else this.tick();
  }

  /** Unit tests are many and quick: a sign of life is enough. */
  private tick(): void {
    if (this.now() - this.toldAt < EVERY_MS) return;
    this.toldAt = this.now();
    this.print(`  … ${String(this.ran)} tests`);
  }
}
