import pg from 'pg';

/** A connection of its own that is told what is announced on a channel. */
interface Listening {
  close(): Promise<void>;
}

/** Listens on a channel (LISTEN, see the PostgreSQL manual); `onLost` is called once when the connection is gone. */
async function listen(
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

/** A connection that comes back by itself. */
export interface Following extends Listening {
  /** False while the connection is away. */
  readonly connected: boolean;
}

interface Followed {
  readonly onTold: (payload: string) => void;
  /** Each time it listens: what was announced before was not heard. */
  readonly onOpen?: () => void;
  readonly onLost?: (error: Error) => void;
}

const RECONNECT_MS = 1_000;

/** Listens on a channel until it is closed, again after every interruption; throws where the first connection fails. */
export async function follow(url: string, channel: string, followed: Followed): Promise<Following> {
  const following = new FollowedChannel(url, channel, followed);
  await following.open();
  return following;
}

class FollowedChannel implements Following {
  private readonly url: string;
  private readonly channel: string;
  private readonly followed: Followed;
  private listening: Listening | undefined;
  private closed = false;

  constructor(url: string, channel: string, followed: Followed) {
    this.url = url;
    this.channel = channel;
    this.followed = followed;
  }

  get connected(): boolean {
    return this.listening !== undefined;
  }

  async open(): Promise<void> {
    const { onTold, onOpen, onLost } = this.followed;
    const listening = await listen(this.url, this.channel, {
      onTold,
      onLost: (error) => {
        this.listening = undefined;
        if (this.closed) return;
        onLost?.(error);
        this.reconnect();
      },
    });
    // Closed while it connected: nobody else would end the connection.
    if (this.closed) return listening.close();
    this.listening = listening;
    onOpen?.();
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.listening?.close();
  }

  private reconnect(): void {
    if (this.closed) return;
    setTimeout(() => {
      if (!this.closed) this.open().catch(() => this.reconnect());
    }, RECONNECT_MS).unref();
  }
}
