import { parseSetCookie } from 'cookie';

/** What a page or redirect answered. */
export interface Page {
  readonly url: string;
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

/** A browser as far as signing in needs one: cookies by origin, redirects, forms. Runs no scripts. */
export class Browser {
  private readonly jars = new Map<string, Map<string, string>>();

  /** Cookies of an origin, for tests that look at them or plant one. */
  cookies(url: string): Map<string, string> {
    const { origin } = new URL(url);
    const jar = this.jars.get(origin) ?? new Map<string, string>();
    this.jars.set(origin, jar);
    return jar;
  }

  /** One request, redirects not followed. */
  async request(url: string, init: RequestInit = {}): Promise<Page> {
    const jar = this.cookies(url);
    const headers = new Headers(init.headers);
    if (jar.size > 0) headers.set('cookie', [...jar].map(([name, value]) => `${name}=${value}`).join('; '));
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) {
      const { name, value, maxAge, expires } = parseSetCookie(line);
      const gone = maxAge === 0 || (expires !== undefined && expires.getTime() <= Date.now());
      if (gone) jar.delete(name);
      else jar.set(name, value ?? '');
    }
    return { url, status: response.status, text: await response.text(), headers: response.headers };
  }

  /** A request whose redirects are followed as a browser does; stops before a redirect that `until` names. */
  async visit(url: string, init: RequestInit = {}, until?: (url: string) => boolean): Promise<Page> {
    let page = await this.request(url, init);
    for (let hops = 0; page.status >= 300 && page.status < 400 && hops < 20; hops += 1) {
      const next = new URL(page.headers.get('location') ?? '', page.url).href;
      if (until?.(next) === true) return { ...page, url: next };
      page = await this.request(next);
    }
    return page;
  }

  /** Sends the form of a page with what is typed in; hidden fields go along. */
  submit(page: Page, typed: Readonly<Record<string, string>>, until?: (url: string) => boolean): Promise<Page> {
    const form = /<form[^>]*>/i.exec(page.text)?.[0];
    if (form === undefined) throw new Error(`No form on ${page.url}: ${page.text.slice(0, 500)}`);
    const fields = new URLSearchParams();
    for (const [input] of page.text.matchAll(/<input[^>]*>/gi)) {
      const [name, value] = [attribute(input, 'name'), attribute(input, 'value')];
      if (name !== undefined && attribute(input, 'type') === 'hidden') fields.set(name, value ?? '');
    }
    for (const [name, value] of Object.entries(typed)) fields.set(name, value);
    const action = new URL(attribute(form, 'action') ?? '', page.url).href;
    return this.visit(action, { method: 'POST', body: fields }, until);
  }
}

function attribute(tag: string, name: string): string | undefined {
  const [, value] = new RegExp(`\\s${name}="([^"]*)"`, 'i').exec(tag) ?? [];
  return value
    ?.replaceAll('&amp;', '&')
    .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)));
}
