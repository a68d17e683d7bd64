import type { Response } from 'express';

import { ERRORS } from '../../contracts/errors.ts';
import type { ApiError } from '../problem.ts';

const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (sign) => `&#${String(sign.codePointAt(0))};`);

/** Tells a person in a browser that the sign-in did not work, and how to begin again. */
export function failurePage(res: Response, error: ApiError): void {
  res.status(ERRORS[error.code].status).type('html').send(`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Not signed in</title></head>
<body><main><h1>You are not signed in</h1><p>${escaped(error.message)}</p><p><a href="login">Begin again</a></p></main></body>
</html>`);
}
