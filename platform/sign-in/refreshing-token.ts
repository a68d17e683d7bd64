/** An access token and when it ends, in milliseconds since 1970. */
export interface HeldToken {
  readonly accessToken: string;
  readonly obtainedAt: number;
  readonly expiresAt: number;
}

/** Where callers get a token that is valid now. */
export interface TokenSource {
  token(): Promise<string>;
}

/** How a token is renewed. */
export interface Renewal {
  /** The token that is held, from wherever it is kept; asked before every renewal, since others may have renewed it. */
  readonly held: () => Promise<HeldToken | undefined> | HeldToken | undefined;
  /** Gets a new one; throws where that cannot be now, or not any more. */
  readonly renew: () => Promise<HeldToken>;
  /** Hears of renewals ahead of time that failed: the token that is held goes on being used. */
  readonly onFailure?: (error: unknown) => void;
}

/** A token is renewed when this part of its life is left. */
const AHEAD = 0.25;
/** Less than this is too little for a request to arrive in. */
const TOO_SHORT_MS = 5_000;
/** Time between two attempts while the provider is away. */
const AGAIN_MS = 10_000;

/**
 * A token that is renewed ahead of its end, in the background, by one renewal at a time. While that fails, the token
 * that is held is used until it expires.
 */
export class RefreshingToken implements TokenSource {
  private readonly renewal: Renewal;
  private current: HeldToken | undefined;
  private renewing: Promise<HeldToken> | undefined;
  private failedAt = 0;

  constructor(renewal: Renewal) {
    this.renewal = renewal;
  }

  async token(): Promise<string> {
    this.current ??= await this.renewal.held();
    const { current } = this;
    if (!current || remaining(current) < TOO_SHORT_MS) return (await this.renewed()).accessToken;
    const whole = current.expiresAt - current.obtainedAt;
    if (remaining(current) < whole * AHEAD && Date.now() - this.failedAt > AGAIN_MS)
      this.renewed().catch((error: unknown) => {
        this.failedAt = Date.now();
        this.renewal.onFailure?.(error);
      });
    return current.accessToken;
  }

  /** Forgets the token that is held: the API refused it. */
  refused(): void {
    this.current = undefined;
  }

  private renewed(): Promise<HeldToken> {
    this.renewing ??= this.renewal
      .renew()
      .then((token) => (this.current = token))
      .finally(() => (this.renewing = undefined));
    return this.renewing;
  }
}

const remaining = ({ expiresAt }: HeldToken): number => expiresAt - Date.now();
