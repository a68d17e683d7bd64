import type { Logger } from 'pino';

import type { Principal } from '../../contracts/principal.ts';
import { claimsOf } from '../../db/limits.ts';
import type { SharedWindow } from '../../db/limits.ts';
import type { Database } from '../../db/pool.ts';
import { ApiError } from '../problem.ts';
import { createRate } from './rate.ts';
import type { TakeRequest } from './rate.ts';
import { Refusals } from './refusals.ts';
import type { LimitSettings } from './settings.ts';
import { SharedLimits } from './shared.ts';
import { Slots } from './slots.ts';

const MINUTE_S = 60;
/** Org charts that one principal sends or has worked out at a time: each may be 64 MiB. */
const IMPORTS = 4;
/** Operations that make work, and what each is counted as. */
const CREATES: Readonly<Record<string, 'tasks' | 'approvals' | 'sessions' | 'notifications'>> = {
  send_task: 'tasks',
  request_approval: 'approvals',
  open_session: 'sessions',
  notify: 'notifications',
};

/** A request that was let in: what it holds while it lasts, and how to undo its count. */
export interface Entry {
  /** The request repeats one that was answered already: it counts nothing. */
  readonly giveBack: () => void;
  /** The request is over. */
  readonly leave: () => void;
}

/** Keeps a caller within its bounds, so that the others are served (docs/operations.md, "Limits"). */
export class Limits {
  readonly settings: LimitSettings;
  readonly refusals: Refusals;
  private readonly database: Database;
  private readonly shared: SharedLimits;
  private readonly principals: TakeRequest;
  private readonly organisations: TakeRequest;
  private readonly slots = new Slots();

  constructor(settings: LimitSettings, { database, log }: { readonly database: Database; readonly log: Logger }) {
    const { requestsPerSecond: perSecond, requestsBurst: burst, organisationFactor: factor } = settings;
    this.settings = settings;
    this.database = database;
    this.shared = new SharedLimits(database);
    this.refusals = new Refusals(database, log, settings.reportEveryMs);
    this.principals = createRate({ perSecond, burst });
    this.organisations = createRate({ perSecond: perSecond * factor, burst: burst * factor });
  }

  /** Any request of somebody known; asked before anything of it is read. */
  async request(principal: Principal): Promise<void> {
    const { organisation_id, id } = principal;
    // A caller that is refused for itself must not use up what its organisation may do.
    const own = await this.principals(`${organisation_id}/${id}`);
    if (own !== undefined) throw this.refuse(principal, 'requests', own);
    const all = await this.organisations(organisation_id);
    if (all !== undefined) throw this.refuse(principal, 'requests of the organisation', all);
  }

  /** An operation that makes work, takes work, or waits. */
  async enter(operation: string, principal: Principal, input: Readonly<Record<string, unknown>>): Promise<Entry> {
    const kind = CREATES[operation];
    if (kind !== undefined) return this.create(kind, principal);
    if (operation === 'claim_task') return this.claim(principal);
    if (typeof input['wait'] === 'string' && Number.parseFloat(input['wait']) > 0)
      return entry([], this.connect(principal, 'long polls'));
    return entry([]);
  }

  /** A notification on its way to these receivers, each by its tag. */
  async deliver(principal: Principal, tags: readonly string[]): Promise<void> {
    const limit = this.settings.notificationsToOnePerMinute;
    const windows = tags.map((tag) => ({ key: `to/${tag}`, limit, seconds: MINUTE_S }));
    await this.takeAll(principal, windows, 'notifications to one receiver');
  }

  /** A stream, long poll or upload of a file that stays open; answers how to close it. */
  connect(principal: Principal, kind: 'streams' | 'long polls' | 'imports'): () => void {
    const key = `${kind}/${principal.organisation_id}/${principal.id}`;
    const most = kind === 'imports' ? IMPORTS : this.settings.connections;
    if (this.slots.count(key) < most) return this.slots.enter(key);
    this.refusals.add(principal, kind);
    throw new ApiError({
      code: 'rate_limited',
      detail: `You hold ${String(most)} ${kind} open here already; close one before you open the next.`,
      facts: { limit: kind, retry_after_s: 5 },
    });
  }

  close(): Promise<void> {
    return this.refusals.close();
  }

  private async create(kind: string, principal: Principal): Promise<Entry> {
    const { creationsPerMinute, notificationsPerMinute, organisationFactor } = this.settings;
    const limit = kind === 'notifications' ? notificationsPerMinute : creationsPerMinute;
    const windows = [
      { key: `${kind}/${principal.id}`, limit, seconds: MINUTE_S },
      { key: kind, limit: limit * organisationFactor, seconds: MINUTE_S },
    ];
    return entry([await this.takeAll(principal, windows, kind)]);
  }

  /** Takes a point of each window, or of none. Answers how to give them back. */
  private async takeAll(principal: Principal, windows: readonly SharedWindow[], limit: string): Promise<() => void> {
    const { organisation_id } = principal;
    const taken: SharedWindow[] = [];
    const giveBack = (): void => {
      for (const window of taken.splice(0)) this.shared.giveBack(organisation_id, window);
    };
    for (const window of windows) {
      const wait = await this.shared.take(organisation_id, window);
      if (wait !== undefined) {
        giveBack();
        throw this.refuse(principal, limit, wait, window.limit);
      }
      taken.push(window);
    }
    return giveBack;
  }

  /** Claims under way are counted with those that are held, or many at once would all find room. */
  private async claim(principal: Principal): Promise<Entry> {
    const { organisation_id, id } = principal;
    const key = `claims/${organisation_id}/${id}`;
    const underWay = this.slots.count(key);
    const leave = this.slots.enter(key);
    try {
      const most = this.settings.claims;
      const { held, capacity, draining } = await this.database.inOrganisation(organisation_id, (sql) =>
        claimsOf(sql, id, most),
      );
      if (draining)
        throw new ApiError({
          code: 'illegal_transition',
          detail: 'You are being drained: finish what you hold. An administrator or your owner gives you work again.',
          facts: { state: 'draining', allowed: [] },
        });
      const allowed = Math.min(most, capacity ?? most);
      if (held + underWay < allowed) return entry([], leave);
      this.refusals.add(principal, 'claims');
      throw new ApiError({
        code: 'too_many_claims',
        detail: `You hold ${String(held)} tasks and can hold ${String(allowed)} at once.`,
        facts: { held, most: allowed },
      });
    } catch (error) {
      leave();
      throw error;
    }
  }

  private refuse(principal: Principal, limit: string, waitMs: number, perMinute?: number): ApiError {
    this.refusals.add(principal, limit);
    const seconds = Math.ceil(waitMs / 1000);
    const allowed = perMinute === undefined ? '' : ` (${String(perMinute)} a minute)`;
    return new ApiError({
      code: 'rate_limited',
      detail: `Too many ${limit}${allowed}. Repeat it in ${String(seconds)} s, with the same Idempotency-Key.`,
      facts: { limit, retry_after_s: seconds },
    });
  }
}

const entry = (undo: readonly (() => void)[], leave: () => void = () => undefined): Entry => ({
  giveBack() {
    for (const one of undo) one();
  },
  leave,
});
