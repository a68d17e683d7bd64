import { configureShutdown, onShutdown } from '../../platform/shutdown.ts';
import { createLogger } from '../../platform/log.ts';
import { loadConfig } from '../../platform/config.ts';
import { reportReady } from '../../platform/ready.ts';
import { startTcpRelay } from '../../platform/tcp-relay.ts';

/** Stands in front of several API processes on one machine: `balancer-main.ts <port> <port> …`. */
async function main(): Promise<void> {
  const config = loadConfig();
  const log = createLogger({ name: 'balancer', level: config.logLevel });
  configureShutdown({ graceMs: config.shutdownGraceMs, log });
  const upstreams = process.argv.slice(2).map((port) => ({ host: '127.0.0.1', port: Number(port) }));
  if (upstreams.length === 0) throw new Error('Name the ports of the API processes.');
  const relay = await startTcpRelay(config.apiPort, config.apiHost, upstreams);
  onShutdown('balancer', () => relay.close());
  log.info({ port: relay.port, upstreams: process.argv.slice(2) }, 'balancing');
  reportReady();
}

main().catch((error: unknown) => {
  createLogger({ name: 'balancer' }).fatal({ err: error }, 'the balancer could not start');
  process.exit(1);
});
