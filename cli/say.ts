// A reader that goes away (`| head`) must not end the process in the middle of its work.
process.stdout.on('error', () => undefined);

/** Writes one line for the person at the terminal. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
