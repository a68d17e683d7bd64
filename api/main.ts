import path from 'node:path';

import { auditKeysFile, publicKeys } from '../db/audit/keys.ts';
import { createClaimStore } from '../db/payload-claims.ts';
import { openDatabase } from '../db/pool.ts';
import { bundleKeysFile } from '../directory/bundle-keys.ts';
import { loadProfiles } from '../directory/profiles.ts';
import { loadRecipes } from '../directory/recipes.ts';
import { openOrganisationSettings } from '../directory/settings.ts';
import { loadConfig } from '../platform/config.ts';
import type { Config } from '../platform/config.ts';
import { createLogger } from '../platform/log.ts';
import { SigningKeys, tokenKeysFile } from '../platform/tokens/signing-keys.ts';
import { reportReady } from '../platform/ready.ts';
import { guardRegularExpressions } from '../platform/regexp.ts';
import { configureShutdown, onShutdown } from '../platform/shutdown.ts';
import { followBase } from '../policy/reload.ts';
import { openKeyRing } from '../privacy/key-ring.ts';
import { openPrivacy } from '../privacy/open.ts';
import { connectTemporal } from '../temporal/connection.ts';
import { createDataConverter } from '../temporal/data-converter.ts';
import { openIdentity } from './authentication/identity.ts';
import { identitySettings } from './authentication/settings.ts';
import { Limits } from './limits/limits.ts';
import { limitSettings } from './limits/settings.ts';
import { serveApi } from './serve.ts';
import { openFeed } from './stream/feed.ts';

/** Where the Web UI of the development server runs. */
const uiOrigins = ({ temporalUiPort }: Config): string[] =>
  ['127.0.0.1', 'localhost'].map((host) => `http://${host}:${String(temporalUiPort)}`);

/** Serves the API until the process is told to stop; what was accepted is answered first. */
async function main(): Promise<void> {
  guardRegularExpressions();
  const config = loadConfig();
  const log = createLogger({ name: 'api', level: config.logLevel });
  configureShutdown({ graceMs: config.shutdownGraceMs, log });
  const url = config.databaseUrl;
  if (url === undefined)
    throw new Error('SWITCHBOARD_DATABASE_URL is not set: the API needs a database. `npm start` brings one.');
  const database = openDatabase({
    url,
    onError: (error) => log.warn({ error: error.message }, 'a database connection was lost'),
  });
  onShutdown('database', () => database.close());
  const { masterKey, ...privacy } = openPrivacy(path.join(config.dataDir, 'master.key'), database);
  const histories = await openHistories(config, { masterKey, database, url });
  const feed = await openFeed({ database, url, log });
  onShutdown('feed', () => feed.close());
  const limits = new Limits(limitSettings(config), { database, log });
  onShutdown('limits', () => limits.close());
  const tokenKeys = await SigningKeys.open(tokenKeysFile(config.dataDir));
  const identity = await openIdentity({ settings: identitySettings(config), keys: tokenKeys, url, log });
  onShutdown('identity', () => identity.close());
  const profiles = loadProfiles(path.resolve(import.meta.dirname, '../profiles'));
  onShutdown('policies', followBase(log));
  const settings = await openOrganisationSettings({ database, url, log, profiles });
  onShutdown('settings', () => settings.close());
  const deps = {
    ...privacy,
    database,
    ...histories,
    codecOrigins: config.codecOrigins ?? uiOrigins(config),
    taskQueue: config.temporalTaskQueue,
    profiles,
    recipes: loadRecipes(path.resolve(import.meta.dirname, '..'), profiles),
    identity,
    profilesOf: settings.profilesOf,
    forgetProfiles: settings.forgetProfiles,
    feed,
    limits,
    publishing: {
      keysFile: bundleKeysFile(config.dataDir),
      mcpUrl: config.mcpUrl,
      proxyUrl: config.proxyUrl,
    },
    auditKeys: () => publicKeys(auditKeysFile(config.dataDir)),
    log,
  };
  const served = await serveApi(deps, { host: config.apiHost, port: config.apiPort });
  onShutdown('api', () => served.close());
  log.info({ url: served.url }, 'serving the API');
  reportReady();
}

/** Temporal, and the keys that its histories are encrypted with. */
async function openHistories(
  { temporalAddress, temporalPort, temporalNamespace: namespace }: Config,
  options: Parameters<typeof openKeyRing>[0],
) {
  const keyRing = await openKeyRing(options);
  onShutdown('keys', () => keyRing.close());
  const historyKeys = keyRing.forPurpose('history');
  const claims = createClaimStore(options.database);
  const address = temporalAddress ?? `127.0.0.1:${String(temporalPort)}`;
  const dataConverter = createDataConverter(historyKeys, claims);
  const { connection, client } = await connectTemporal({ address, namespace, dataConverter });
  onShutdown('temporal', () => connection.close());
  return { historyKeys, claims, client };
}

main().catch((error: unknown) => {
  createLogger({ name: 'api' }).fatal({ err: error }, 'the API could not start');
  process.exit(1);
});
