import type { Actor } from './actor.ts';

/** Prints what happens while it happens: time, who, what, ids. */
export class Timeline {
  readonly #say: (line: string) => void;
  readonly #started = Date.now();

  constructor(say: (line: string) => void = () => undefined) {
    this.#say = say;
  }

  title(text: string): void {
    this.#say('');
    this.#say(`── ${text} ${'─'.repeat(Math.max(0, 100 - text.length))}`);
  }

  /** Somebody did something. */
  deed({ name, role }: Pick<Actor, 'name' | 'role'>, what: string, id: string | undefined): void {
    this.#say(`${this.#time()}  ${`${name} (${role})`.padEnd(26)} ${what}${id === undefined ? '' : `  ${id}`}`);
  }

  /** A workflow came into being; here an operator sees it. */
  link(address: string): void {
    this.#say(`${' '.repeat(9)}  ↗ ${address}`);
  }

  /** Something was checked. */
  seen(ok: boolean, what: string): void {
    this.#say(`${' '.repeat(9)}  ${ok ? '✓' : '✗ DISAGREES:'} ${what}`);
  }

  #time(): string {
    return `${((Date.now() - this.#started) / 1000).toFixed(1).padStart(7)} s`;
  }
}
