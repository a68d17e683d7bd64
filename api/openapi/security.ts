import type { Schema } from './schemas.ts';

/** What a document says of the installation that serves it. */
export interface Installation {
  readonly issuer?: string | undefined;
  readonly publicUrl?: string | undefined;
}

/** The ways in which a caller is known; the provider's only where there is one. */
export const schemesOf = ({ issuer, publicUrl = 'https:' }: Installation): Schema => ({
  bearer: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description:
      'An access token of the OpenID provider that GET /.well-known/oauth-protected-resource names, or of POST ' +
      '/oauth/token. GET needs the scope switchboard:read, everything else switchboard:write.',
  },
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: publicUrl.startsWith('https:') ? '__Host-switchboard_session' : 'switchboard_session',
    description:
      'The session of a browser, begun at GET /auth/login. What changes something needs X-Switchboard-CSRF: 1 too, ' +
      'from a page of the same origin.',
  },
  ...(issuer !== undefined && {
    provider: {
      type: 'openIdConnect',
      openIdConnectUrl: `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
      description: 'The same access tokens, with where they come from.',
    },
  }),
});

/** Any of them is enough. */
export const securityOf = ({ issuer }: Installation): Schema => ({
  security: [{ bearer: [] }, { session: [] }, ...(issuer === undefined ? [] : [{ provider: [] }])],
});
