import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import express from 'express';
import helmet from 'helmet';
import Provider from 'oidc-provider';

import { configurationOf } from './configuration.ts';
import type { ProviderOptions } from './configuration.ts';
import { interactions } from './interactions.ts';

/** A running development provider. */
export interface RunningProvider {
  readonly issuer: string;
  close(): Promise<void>;
}

/** Starts the development provider on this machine; port 0 takes a free one. */
export async function startProvider(options: ProviderOptions & { readonly port: number }): Promise<RunningProvider> {
  const app = express().disable('x-powered-by');
  const server = createServer(app);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port, '127.0.0.1', resolve);
  });
  const issuer = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const provider = new Provider(issuer, configurationOf(options));
  app.use(
    helmet({
      // Pages hold their own style, and one of the library's a script that sends its form; forms end at the client.
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'none'"],
          styleSrc: ["'unsafe-inline'"],
          scriptSrc: ["'unsafe-inline'"],
          baseUri: ["'none'"],
          frameAncestors: ["'none'"],
        },
      },
      strictTransportSecurity: false,
    }),
  );
  app.use(interactions(provider, options.accounts));
  app.use(provider.callback());
  return {
    issuer,
    async close() {
      options.store.flush();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}
