import { once } from 'node:events';
import net from 'node:net';

/** Where connections may go: `host` and `port` of a server. */
export interface Upstream {
  readonly host: string;
  readonly port: number;
}

/** A relay of TCP connections: in front of several servers a balancer, in front of one a link that can be disturbed. */
export interface TcpRelay {
  readonly port: number;
  /** Lets nothing through any more, as a cut cable does: open connections hang, new ones are not answered. Cuts add up. */
  cut(): void;
  /** Mends a cut; with the last one what hung for so long is reset, since its ends gave up on it. */
  mend(): void;
  /** Holds back every piece of data for so many milliseconds; 0 ends it. */
  delay(milliseconds: number): void;
  close(): Promise<void>;
}

/** Listens on a port (0: a free one) and passes each connection on to the next upstream in turn that takes it. */
export async function startTcpRelay(port: number, host: string, upstreams: readonly Upstream[]): Promise<TcpRelay> {
  const link = new Link(upstreams);
  // Half-open: a client that has said all it has to say may still wait for its answer.
  const server = net.createServer({ allowHalfOpen: true }, (client) => void link.accept(client));
  server.listen(port, host);
  await once(server, 'listening');
  return {
    port: (server.address() as net.AddressInfo).port,
    cut: () => link.cut(),
    mend: () => link.mend(),
    delay: (milliseconds) => link.delay(milliseconds),
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      link.dropAll();
      await closed;
    },
  };
}

class Link {
  readonly #upstreams: readonly Upstream[];
  readonly #open = new Set<net.Socket>();
  #next = 0;
  #cuts = 0;
  #delayMs = 0;

  constructor(upstreams: readonly Upstream[]) {
    this.#upstreams = upstreams;
  }

  async accept(client: net.Socket): Promise<void> {
    this.#track(client);
    if (this.#isCut()) {
      client.pause();
      return;
    }
    const server = await this.#connect();
    if (server === undefined || client.destroyed) {
      client.destroy();
      server?.destroy();
      return;
    }
    this.#track(server);
    this.#forward(client, server);
    this.#forward(server, client);
    // It may have been cut while the other side was being reached.
    if (this.#isCut()) for (const socket of [client, server]) socket.pause();
  }

  #isCut(): boolean {
    return this.#cuts > 0;
  }

  cut(): void {
    this.#cuts += 1;
    for (const socket of this.#open) socket.pause();
  }

  mend(): void {
    this.#cuts -= 1;
    if (!this.#isCut()) this.dropAll();
  }

  delay(milliseconds: number): void {
    this.#delayMs = milliseconds;
  }

  dropAll(): void {
    for (const socket of this.#open) socket.destroy();
  }

  /** Nothing of the request has been read yet, so that one that refuses costs no more than a try at the next. */
  async #connect(): Promise<net.Socket | undefined> {
    for (let tried = 0; tried < this.#upstreams.length; tried += 1) {
      const upstream = this.#upstreams[this.#next % this.#upstreams.length];
      this.#next += 1;
      const socket = upstream && (await connected(upstream));
      if (socket) return socket;
    }
    return undefined;
  }

  #track(socket: net.Socket): void {
    socket.setNoDelay(true);
    this.#open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#open.delete(socket));
  }

  #forward(from: net.Socket, to: net.Socket): void {
    const lane = new Lane();
    from.on('data', (data) => lane.pass(this.#delayMs, () => this.#write(from, to, data)));
    from.once('end', () => lane.pass(this.#delayMs, () => to.end()));
    from.once('close', () => lane.pass(0, () => to.destroySoon()));
    to.on('drain', () => {
      if (!this.#isCut()) from.resume();
    });
  }

  #write(from: net.Socket, to: net.Socket, data: Buffer): void {
    if (to.destroyed || to.writableEnded) return;
    if (!to.write(data)) from.pause();
  }
}

/** One direction of a connection: nothing overtakes what went before, however long that is held back. */
class Lane {
  readonly #waiting: { readonly due: number; readonly work: () => void }[] = [];

  pass(delayMs: number, work: () => void): void {
    const last = this.#waiting.at(-1);
    if (last === undefined && delayMs === 0) {
      work();
      return;
    }
    this.#waiting.push({ due: Math.max(Date.now() + delayMs, last?.due ?? 0), work });
    if (last === undefined) this.#wait();
  }

  #wait(): void {
    const [next] = this.#waiting;
    if (next === undefined) return;
    const fire = (): void => {
      next.work();
      this.#waiting.shift();
      this.#wait();
    };
    setTimeout(fire, Math.max(0, next.due - Date.now())).unref();
  }
}

function connected({ host, port }: Upstream): Promise<net.Socket | undefined> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port, allowHalfOpen: true });
    socket.once('connect', () => resolve(socket));
    socket.once('error', () => {
      socket.destroy();
      resolve(undefined);
    });
  });
}
