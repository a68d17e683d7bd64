import { setTimeout as sleep } from 'node:timers/promises';

import type { ChildExit } from '../../platform/child-process.ts';
import { errorLines } from './log-file.ts';

/** A running part of the stack. */
export interface Running {
  readonly pid: number;
  readonly exited: Promise<unknown>;
  /** Settles when it serves; absent where starting it already waited for that. */
  readonly ready?: Promise<void>;
  tail(): readonly string[];
  stop(graceMs: number): Promise<unknown>;
}

/** A part of the stack and how to start it, again if need be. */
export interface Service {
  readonly name: string;
  start(): Promise<Running>;
}

/** What ended although nobody asked it to. */
export interface StackFailure {
  readonly name: string;
  readonly message: string;
}

interface SupervisorOptions {
  readonly graceMs: number;
  /** Whether the unexpected end of one part stops the others. */
  readonly supervise: boolean;
  readonly say: (line: string) => void;
  /** Hears of every change of what runs. */
  readonly onChange: (running: ReadonlyMap<string, Running>) => void;
}

/** Keeps the parts of the stack: starts them, watches them, stops them in the reverse order. */
export class Supervisor {
  readonly failure: Promise<StackFailure>;
  readonly #options: SupervisorOptions;
  readonly #services: Service[] = [];
  readonly #running = new Map<string, Running>();
  readonly #starting = new Set<Promise<Running>>();
  readonly #expected = new WeakSet<Running>();
  #fail: (failure: StackFailure) => void = () => undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.failure = new Promise((resolve) => (this.#fail = resolve));
  }

  /** Starts a part and waits until it serves; what is started later is stopped earlier. */
  async start<T extends Running>(service: { readonly name: string; start(): Promise<T> }): Promise<T> {
    if (!this.#services.some(({ name }) => name === service.name)) this.#services.push(service);
    if (this.#stopping !== undefined) throw new Error(`${service.name} was not started: everything is being stopped.`);
    const starting = service.start();
    this.#starting.add(starting);
    const running = await starting.finally(() => this.#starting.delete(starting));
    this.#watch(service.name, running);
    await running.ready;
    return running;
  }

  /** The process id of a part that runs. */
  pid(name: string): number {
    return this.#get(name).pid;
  }

  /** Ends one part on purpose, by default the hard way; the others go on. */
  async kill(name: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const running = this.#get(name);
    this.#expected.add(running);
    process.kill(running.pid, signal);
    await running.exited;
  }

  /** Starts a part again, stopping it in order first where it still runs. */
  async restart(name: string): Promise<void> {
    const running = this.#running.get(name);
    if (running !== undefined) await this.#stopOne(running);
    const service = this.#services.find((candidate) => candidate.name === name);
    if (service === undefined)
      throw new Error(`No part "${name}": ${this.#services.map((part) => part.name).join(', ')}.`);
    await this.start(service);
  }

  /** Stops everything in order; calls while it goes on wait for the same. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #stopAll(): Promise<void> {
    await Promise.allSettled(this.#starting);
    for (const { name } of [...this.#services].reverse()) {
      const running = this.#running.get(name);
      if (running === undefined) continue;
      this.#options.say(`stopping ${name}`);
      await this.#stopOne(running);
    }
  }

  async #stopOne(running: Running): Promise<void> {
    this.#expected.add(running);
    await running.stop(this.#options.graceMs);
  }

  #watch(name: string, running: Running): void {
    this.#running.set(name, running);
    this.#options.onChange(this.#running);
    void running.exited.then(async (exit) => {
      if (this.#running.get(name) === running) this.#running.delete(name);
      this.#options.onChange(this.#running);
      // A part that dies while it starts is reported by whoever waits for it.
      const served = await Promise.race([
        running.ready?.then(
          () => true,
          () => false,
        ) ?? true,
        sleep(0, false),
      ]);
      if (!served || this.#expected.has(running) || !this.#options.supervise) return;
      await this.#collapse(name, running, exit);
    });
  }

  async #collapse(name: string, running: Running, exit: unknown): Promise<void> {
    if (this.#stopping !== undefined) return;
    const message = `${name} ended unexpectedly (${describeExit(exit)}): ${errorLines(running.tail())}`;
    this.#options.say(message);
    await this.stop();
    this.#fail({ name, message });
  }

  #get(name: string): Running {
    const running = this.#running.get(name);
    if (running === undefined) throw new Error(`${name} does not run.`);
    return running;
  }
}

function describeExit(exit: unknown): string {
  const { code, signal } =
    typeof exit === 'object' && exit !== null ? (exit as Partial<ChildExit>) : { code: exit as number };
  return typeof code === 'number' ? `exit code ${String(code)}` : `killed${signal == null ? '' : ` by ${signal}`}`;
}
