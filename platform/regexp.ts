import { setFlagsFromString } from 'node:v8';

/**
 * Lets V8 fall back to its linear-time engine when an expression backtracks too much: schemas come from callers, and a
 * pattern such as ^(a+)+$ must not hold a process. Called once, before any expression is compiled.
 */
export function guardRegularExpressions(): void {
  setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');
}
