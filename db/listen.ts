import pg from 'pg';

/** A connection of its own that is told what is announced on a channel. */
export interface Listening {
  close(): Promise<void>;
}

/** Listens on a channel (LISTEN, see the PostgreSQL manual); `onLost` is called once when the connection is gone. */
export async function listen(
  url: string,
  channel: string,
  { onTold, onLost }: { readonly onTold: (payload: string) => void; readonly onLost: (error: Error) => void },
): Promise<Listening> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  let lost = false;
  client.on('notification', ({ payload }) => {
    onTold(payload ?? '');
  });
  client.on('error', (error) => {
    if (lost) return;
    lost = true;
    client.end().catch(onLost);
    onLost(error);
  });
  await client.connect();
  await client.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
  return { close: () => client.end() };
}
