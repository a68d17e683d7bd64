import type { IdentitySettings } from './settings.ts';
import { SCOPES } from './access-tokens.ts';

/** Where the metadata of the API as a protected resource is (RFC 9728). */
export const resourceMetadataUrl = ({ publicUrl }: Pick<IdentitySettings, 'publicUrl'>): string =>
  `${publicUrl}/.well-known/oauth-protected-resource`;

/** Tells clients where tokens for the API come from (RFC 9728). */
export const resourceMetadata = ({ issuer, publicUrl }: IdentitySettings) => ({
  resource: publicUrl,
  authorization_servers: issuer === undefined ? [] : [issuer],
  scopes_supported: Object.values(SCOPES),
  bearer_methods_supported: ['header'],
  resource_name: 'Switchboard API',
});
