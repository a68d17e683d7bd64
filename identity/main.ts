import { loadConfig } from '../platform/config.ts';
import { createLogger } from '../platform/log.ts';
import { reportReady } from '../platform/ready.ts';
import { configureShutdown, onShutdown } from '../platform/shutdown.ts';
import { demoAccounts, demoClients, passwordsFile, writePasswords } from './accounts.ts';
import { startProvider } from './provider.ts';
import { identityFiles, readSecrets } from './secrets.ts';
import { Store } from './store.ts';

/** Serves the development provider until the process is told to stop. */
async function main(): Promise<void> {
  const config = loadConfig();
  const log = createLogger({ name: 'identity', level: config.logLevel });
  configureShutdown({ graceMs: config.shutdownGraceMs, log });
  const secrets = readSecrets(config.dataDir);
  const [accounts, clients] = [demoAccounts(secrets), demoClients(secrets)];
  writePasswords(passwordsFile(config.dataDir), accounts, clients);
  const running = await startProvider({
    port: config.oidcPort,
    accounts,
    clients,
    secrets,
    store: new Store(identityFiles(config.dataDir).state),
    audiences: [config.oidcAudience, config.oidcMcpAudience],
    apiUrls: [config.publicUrl],
  });
  onShutdown('identity', () => running.close());
  log.warn({ issuer: running.issuer }, 'the development identity provider is for this machine only');
  reportReady();
}

main().catch((error: unknown) => {
  createLogger({ name: 'identity' }).fatal({ err: error }, 'the development identity provider could not start');
  process.exit(1);
});
