import { readFileSync } from 'node:fs';

import { z } from 'zod';

const Passwords = z.object({
  people: z.array(z.object({ name: z.string(), email: z.string(), password: z.string() })),
  clients: z.array(z.object({ id: z.string(), secret: z.string() })),
});
/** What the development provider knows its people and clients by. */
export type Passwords = z.infer<typeof Passwords>;

/** Reads the file that the development provider writes at its start. */
export const readPasswords = (file: string): Passwords => Passwords.parse(JSON.parse(readFileSync(file, 'utf8')));
