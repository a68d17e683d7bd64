import { randomBytes } from 'node:crypto';

import { actorTag } from '../../contracts/actor.ts';
import { createChannel, deleteChannel, listChannels } from '../../contracts/notifications.ts';
import type { ChannelView } from '../../contracts/notifications.ts';
import { addChannel, findChannel, listChannels as queryChannels, removeChannel } from '../../db/channels.ts';
import type { ChannelRow } from '../../db/channels.ts';
import { mount } from '../http.ts';
import type { Mounting } from '../http.ts';
import { requirePermission } from '../permission.ts';
import { notFound } from '../problem.ts';
import { recordEvent } from '../record.ts';
import { iso } from '../views.ts';

const viewOf = (row: ChannelRow): ChannelView => ({
  id: row.id,
  owner: row.owner,
  kind: row.kind,
  url: row.shown_url,
  topics: row.topics,
  created_at: iso(row.created_at),
});

/** An address without what may be secret in it. Slack's secret is the path, so that only the host is shown. */
function shownUrl(url: string, kind: ChannelRow['kind']): string {
  const { protocol, host, pathname } = new URL(url);
  return kind === 'slack' ? `${protocol}//${host}/…` : `${protocol}//${host}${pathname}`;
}

/** Routes of channels: where events are pushed to. */
export function mountChannels(mounting: Mounting): void {
  const { deps } = mounting;
  const { envelope, database } = deps;
  mount(
    mounting,
    createChannel,
    async ({ kind, url, topics, owner: asked }, call) => {
      const { organisation_id, id: created_by } = call.principal;
      const owner = asked ?? actorTag(call.principal);
      await requirePermission(deps, call, 'channel:manage', {
        kind: 'notification',
        owners: owner.startsWith('role:') ? [] : [owner],
      });
      const secret = kind === 'webhook' ? `whsec_${randomBytes(24).toString('base64')}` : null;
      const row = {
        id: call.id,
        owner,
        kind,
        sealed_url: envelope.seal(organisation_id, `${call.id}:url`, url),
        shown_url: shownUrl(url, kind),
        sealed_secret: secret === null ? null : envelope.seal(organisation_id, `${call.id}:secret`, secret),
        topics,
        created_by,
      };
      const added = await database.transaction(organisation_id, async (sql) => {
        await recordEvent(sql, call, {
          action: 'channel.created',
          kind: 'channel',
          id: call.id,
          details: { owner, kind, topics },
        });
        return addChannel(sql, row);
      });
      if (!added) throw notFound(`Channel ${call.id}`);
      return { ...viewOf(added), ...(secret !== null && { secret }) };
    },
    { creates: 'channel', waits: true },
  );

  mount(mounting, listChannels, async (_, { principal }) => {
    const owners = principal.administrator ? null : [actorTag(principal)];
    const rows = await database.inOrganisation(principal.organisation_id, (sql) => queryChannels(sql, owners));
    return { channels: rows.map(viewOf) };
  });

  mount(mounting, deleteChannel, async ({ channel_id }, call) => {
    const { organisation_id } = call.principal;
    const row = await database.inOrganisation(organisation_id, (sql) => findChannel(sql, channel_id));
    if (!row) throw notFound(`Channel ${channel_id}`);
    await requirePermission(deps, call, 'channel:manage', { kind: 'notification', owners: [row.owner] }, channel_id);
    await database.transaction(organisation_id, async (sql) => {
      await removeChannel(sql, channel_id);
      await recordEvent(sql, call, { action: 'channel.removed', kind: 'channel', id: channel_id, details: {} });
    });
    return viewOf(row);
  });
}
