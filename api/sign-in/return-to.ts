const MOST = 2_000;

/** A path on our own site to come back to; anything else leads to the start. */
export function safeReturnTo(given: unknown, publicUrl: string): string {
  // A second slash or backslash makes another host of it in browsers; control characters are skipped by them.
  if (typeof given !== 'string' || given.length > MOST || !/^\/(?![/\\])[\x21-\x7e]*$/.test(given)) return '/';
  const [base, url] = [URL.parse(publicUrl), URL.parse(given, publicUrl)];
  if (!base || !url || url.origin !== base.origin || given.includes('\\')) return '/';
  return `${url.pathname}${url.search}${url.hash}`;
}
