import test from 'ava';

import { startStack } from '../../support/stack.ts';

test('IDN-2: pages and answers carry security headers that still let the documentation work', async (t) => {
  const stack = await startStack({ worker: false });
  t.teardown(() => stack.close());
  const read = async (path: string) => {
    const answer = await fetch(stack.apiUrl + path);
    return { status: answer.status, policy: answer.headers.get('content-security-policy') ?? '', answer };
  };
  for (const path of ['/docs/', '/api/docs/']) {
    const { status, policy, answer } = await read(path);
    t.is(status, 200);
    t.regex(policy, /default-src 'self'/);
    const html = await answer.text();
    // Scripts come from files, which the policy allows; one inside the page would be refused by browsers.
    const scripts = [...html.matchAll(/<script([^>]*)>([^<]*)/g)];
    t.true(scripts.length > 0);
    t.true(scripts.every(([, attributes = '', code = '']) => attributes.includes('src=') && code.trim() === ''));
  }
  const { policy, answer } = await read('/status');
  t.regex(policy, /default-src 'none'/);
  t.regex(policy, /frame-ancestors 'none'/);
  t.is(answer.headers.get('x-content-type-options'), 'nosniff');
  t.is(answer.headers.get('x-powered-by'), null);
  t.is(answer.headers.get('strict-transport-security'), null, 'http in development');
  const page = await read('/codec/sign-in');
  t.is(page.status, 200);
  t.regex(page.policy, /form-action 'self'/);
});
