export { clientSecret, passwordsFile } from './accounts.ts';
export { readSecrets } from './secrets.ts';
