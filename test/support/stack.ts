import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import type { WorkerDeploymentOptions } from '@temporalio/worker';

import { openIdentity } from '../../api/authentication/identity.ts';
import { identitySettings } from '../../api/authentication/settings.ts';
import type { IdentitySettings } from '../../api/authentication/settings.ts';
import { Limits } from '../../api/limits/limits.ts';
import { limitSettings } from '../../api/limits/settings.ts';
import type { LimitSettings } from '../../api/limits/settings.ts';
import { serveApi } from '../../api/serve.ts';
import type { Served } from '../../api/serve.ts';
import { openFeed } from '../../api/stream/feed.ts';
import type { Role } from '../../contracts/principal.ts';
import type { KeysFile } from '../../cli/seed.ts';
import { seedOrganisation } from '../../cli/seed.ts';
import { auditKeysFile, publicKeys } from '../../db/audit/keys.ts';
import { createDatabase, dropDatabase } from '../../db/embedded/roles.ts';
import { migrate } from '../../db/migrate.ts';
import { createClaimStore } from '../../db/payload-claims.ts';
import { openDatabase } from '../../db/pool.ts';
import type { Database } from '../../db/pool.ts';
import type { Profile } from '../../directory/profile-schema.ts';
import { loadProfiles } from '../../directory/profiles.ts';
import { loadRecipes } from '../../directory/recipes.ts';
import { bundleKeysFile } from '../../directory/bundle-keys.ts';
import { openOrganisationSettings } from '../../directory/settings.ts';
import { loadConfig } from '../../platform/config.ts';
import { createLogger } from '../../platform/log.ts';
import { SigningKeys, tokenKeysFile } from '../../platform/tokens/signing-keys.ts';
import { openPrivacy } from '../../privacy/open.ts';
import { openKeyRing } from '../../privacy/key-ring.ts';
import type { PurposeKeys } from '../../privacy/key-ring.ts';
import type { MasterKey } from '../../privacy/keys.ts';
import { connectTemporal } from '../../temporal/connection.ts';
import { createDataConverter } from '../../temporal/data-converter.ts';
import { createWorkers } from '../../workers/orchestrator.ts';
import { testServers } from './environment.ts';
import type { TestServers } from './environment.ts';

const PROFILES = path.resolve(import.meta.dirname, '../../profiles');

/** The whole product in this process, on a database and a task queue of its own. */
export interface TestStack {
  readonly apiUrl: string;
  /** API keys of the demo organisation by name: `finance-agent`, `Helena Voss` … */
  readonly keys: Readonly<Record<string, string>>;
  /** Ids by name. */
  readonly ids: Readonly<Record<string, string>>;
  readonly organisationId: string;
  /** A second organisation on the same database, with keys and ids of its own. */
  readonly other: {
    readonly keys: Readonly<Record<string, string>>;
    readonly ids: Readonly<Record<string, string>>;
    readonly organisationId: string;
  };
  readonly database: Database;
  readonly databaseUrl: string;
  /** Where keys are kept. */
  readonly folder: string;
  readonly masterKey: MasterKey;
  readonly historyKeys: PurposeKeys;
  readonly client: Client;
  readonly taskQueue: string;
  /** Stops the worker, as if its process had ended; the next call brings one back. */
  stopWorker(): Promise<void>;
  startWorker(): Promise<void>;
  /** One more worker beside the others, of a build of its own; stop it before the stack. */
  runWorker(build: WorkerBuild): Promise<RunningWorker>;
  /** One more API on the same database, with caches and listeners of its own, as in another process; close it first. */
  serveApi(): Promise<Served>;
  close(): Promise<void>;
}

/** What a worker runs: a build of a deployment, and its bundle; the tests' bundle and no versions where not told. */
export interface WorkerBuild {
  readonly deployment?: WorkerDeploymentOptions;
  readonly bundle?: string;
}
export interface RunningWorker {
  stop(): Promise<void>;
}

const byName = (file: KeysFile, field: 'key' | 'id'): Record<string, string> =>
  Object.fromEntries(file.keys.map((one) => [one.name, one[field]]));

// Once a process; the SDK's own lines would drown what the tests say.
Runtime.install({ logger: new DefaultLogger('ERROR') });

let made = 0;

/** Starts API and worker against the servers of `npm test`. Close it in `test.after.always`. */
export async function startStack({
  worker = true,
  temporal = testServers().temporal,
  limits: lower = {},
  identity: identityOptions = {},
  adjust = () => undefined,
  log = createLogger({ name: 'test', level: process.env['SWITCHBOARD_TEST_LOG'] === 'true' ? 'info' : 'silent' }),
}: {
  readonly worker?: boolean;
  readonly temporal?: TestServers['temporal'];
  /** Limits other than the default ones. */
  readonly limits?: Partial<LimitSettings>;
  /** Settings of identity other than the default ones; development keys are accepted unless told. */
  readonly identity?: Partial<IdentitySettings> & { readonly cooldownMs?: number; readonly freshMs?: number };
  /** Changes the profiles of the release, for what they do not happen to have. */
  readonly adjust?: (profiles: Map<Role, Profile>) => void;
  /** Where the API logs; nowhere unless told. */
  readonly log?: Logger;
} = {}): Promise<TestStack> {
  const servers = testServers();
  const name = `test_${String(process.pid)}_${String((made += 1))}_${Date.now().toString(36)}`;
  const urls = await createDatabase({ ...servers.postgres }, name);
  await migrate(urls.ownerUrl);
  const folder = mkdtempSync(path.join(tmpdir(), 'switchboard-test-'));
  const database = openDatabase({ url: urls.appUrl, max: 20 });
  const seeded = await seedOrganisation(database, PROFILES);
  const second = await seedOrganisation(database, PROFILES);
  const { masterKey, ...privacy } = openPrivacy(path.join(folder, 'master.key'), database);
  const keyRing = await openKeyRing({ masterKey, database, url: urls.appUrl });
  const historyKeys = keyRing.forPurpose('history');
  const claims = createClaimStore(database);
  const dataConverter = createDataConverter(historyKeys, claims);
  const { connection, client } = await connectTemporal({ ...temporal, dataConverter });
  const native = await NativeConnection.connect({ address: temporal.address });
  const profiles = loadProfiles(PROFILES);
  adjust(profiles);
  const recipes = loadRecipes(path.dirname(PROFILES), profiles);
  const ownSettings = await openOrganisationSettings({ database, url: urls.appUrl, log, profiles });
  const shared = { ...privacy, database, profiles, recipes, profilesOf: ownSettings.profilesOf };
  const feed = await openFeed({ database, url: urls.appUrl, log });
  const { cooldownMs, freshMs, ...identityOf } = identityOptions;
  // The address is known once somebody listens; tokens that are issued carry it.
  const settings: IdentitySettings & { publicUrl: string } = {
    ...identitySettings(loadConfig({})),
    staticKeys: true,
    ...identityOf,
  };
  const keys = await SigningKeys.open(tokenKeysFile(folder));
  const times = { ...(cooldownMs !== undefined && { cooldownMs }), ...(freshMs !== undefined && { freshMs }) };
  const serve = async (): Promise<Served> => {
    const identity = await openIdentity({ settings, keys, url: urls.appUrl, log, ...times });
    const limits = new Limits({ ...limitSettings(loadConfig({})), ...lower }, { database, log });
    const api = await serveApi(
      {
        ...shared,
        forgetProfiles: ownSettings.forgetProfiles,
        publishing: {
          keysFile: bundleKeysFile(folder),
          mcpUrl: 'http://127.0.0.1:8091/mcp',
          proxyUrl: 'http://127.0.0.1:8090',
        },
        client,
        historyKeys,
        claims,
        codecOrigins: ['http://ui.example'],
        auditKeys: () => publicKeys(auditKeysFile(folder)),
        taskQueue: name,
        feed,
        limits,
        identity,
        log,
      },
      { host: '127.0.0.1', port: 0 },
    );
    return {
      ...api,
      close: async () => {
        await api.close();
        await limits.close();
        await identity.close();
      },
    };
  };
  const served = await serve();
  if (identityOptions.publicUrl === undefined) settings.publicUrl = served.url;

  const runWorker = async ({ deployment, bundle = servers.workflowBundle }: WorkerBuild): Promise<RunningWorker> => {
    const workers = await createWorkers({
      connection: native,
      namespace: temporal.namespace,
      taskQueue: name,
      deps: { ...shared, allowPrivateWebhooks: true },
      workflowBundle: { codePath: bundle },
      maxCachedWorkflows: 100,
      dataConverter,
      ...(deployment && { deployment }),
    });
    const done = Promise.all(workers.map((one) => one.run()));
    return {
      stop: async () => {
        for (const one of workers) if (one.getState() === 'RUNNING') one.shutdown();
        await done;
      },
    };
  };
  let running: RunningWorker | undefined;
  async function startWorker(): Promise<void> {
    running = await runWorker({});
  }
  async function stopWorker(): Promise<void> {
    await running?.stop();
    running = undefined;
  }
  if (worker) await startWorker();

  return {
    apiUrl: served.url,
    keys: byName(seeded, 'key'),
    ids: byName(seeded, 'id'),
    organisationId: seeded.organisation_id,
    other: { keys: byName(second, 'key'), ids: byName(second, 'id'), organisationId: second.organisation_id },
    database,
    databaseUrl: urls.appUrl,
    folder,
    masterKey,
    historyKeys,
    client,
    taskQueue: name,
    startWorker,
    stopWorker,
    runWorker,
    serveApi: serve,
    async close() {
      await served.close();
      await feed.close();
      await ownSettings.close();
      await stopWorker();
      await native.close();
      await connection.close();
      await keyRing.close();
      await database.close();
      await dropDatabase({ ...servers.postgres }, name);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
