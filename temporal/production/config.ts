/** A database of the server. */
export interface ServerDatabase {
  /** host:port */
  readonly address: string;
  readonly user: string;
  readonly password: string;
}

/** Ports of the four services that one process runs; each speaks gRPC and gossips with the others. */
export interface ServerPorts {
  readonly frontend: number;
  readonly others: readonly number[];
}

/** Names of the databases for state and for visibility. */
export const TEMPORAL_DATABASES = { state: 'temporal', visibility: 'temporal_visibility' } as const;

/** How many ports `serverConfig` needs beside the frontend's. */
export const OTHER_PORTS = 7;

/** Enough for one machine; a cluster that is to grow starts with 512, since it can never be changed. */
const HISTORY_SHARDS = 4;

const store = ({ address, user, password }: ServerDatabase, databaseName: string, maxConns: number) => ({
  sql: {
    pluginName: 'postgres12',
    databaseName,
    connectAddr: address,
    connectProtocol: 'tcp',
    user,
    password,
    maxConns,
    maxIdleConns: maxConns,
    maxConnLifetime: '1h',
  },
});

/** The configuration file of a Temporal server on Postgres, all services in one process. */
export function serverConfig(database: ServerDatabase, ports: ServerPorts, dynamicConfigFile: string): object {
  const [frontendGossip, history, historyGossip, matching, matchingGossip, worker, workerGossip] = ports.others;
  const service = (grpcPort: number | undefined, membershipPort: number | undefined) => ({
    rpc: { grpcPort, membershipPort, bindOnLocalHost: true },
  });
  return {
    log: { stdout: true, level: 'error' },
    persistence: {
      defaultStore: 'state',
      visibilityStore: 'visibility',
      numHistoryShards: HISTORY_SHARDS,
      datastores: {
        state: store(database, TEMPORAL_DATABASES.state, 20),
        visibility: store(database, TEMPORAL_DATABASES.visibility, 10),
      },
    },
    global: { membership: { maxJoinDuration: '30s', broadcastAddress: '127.0.0.1' } },
    services: {
      frontend: service(ports.frontend, frontendGossip),
      history: service(history, historyGossip),
      matching: service(matching, matchingGossip),
      worker: service(worker, workerGossip),
    },
    clusterMetadata: {
      enableGlobalNamespace: false,
      failoverVersionIncrement: 10,
      masterClusterName: 'active',
      currentClusterName: 'active',
      clusterInformation: {
        active: {
          enabled: true,
          initialFailoverVersion: 1,
          rpcName: 'frontend',
          rpcAddress: `127.0.0.1:${String(ports.frontend)}`,
        },
      },
    },
    dcRedirectionPolicy: { policy: 'noop' },
    dynamicConfigClient: { filepath: dynamicConfigFile, pollInterval: '10s' },
  };
}

/** As the server estimates it; what Go's heap takes for it is several times as much. */
const CACHE_BYTES = 16 * 1024 * 1024;

/** Settings of the server that it reads again while it runs. */
export const DYNAMIC_CONFIG = {
  // New search attributes are usable at once instead of after a minute.
  'system.forceSearchAttributesCacheRefreshOnRead': [{ value: true }],
  // Left alone the cache of workflows holds all of the last hour, up to a gigabyte. A workflow that rests is read again.
  'history.cacheTTL': [{ value: '5m' }],
  'history.cacheBackgroundEvict': [{ value: { Enabled: true, LoopInterval: '1m', MaxEntryPerCall: 1024 } }],
  'history.cacheSizeBasedLimit': [{ value: true }],
  'history.hostLevelCacheMaxSizeBytes': [{ value: CACHE_BYTES }],
};
