import { Webhook } from 'standardwebhooks';

import type { DeliveryActivities, DeliveryStart } from '../contracts/deliveries.ts';
import { findChannel } from '../db/channels.ts';
import type { ChannelRow } from '../db/channels.ts';
import { beginDelivery, endDelivery } from '../db/deliveries.ts';
import type { DeliveryRow } from '../db/deliveries.ts';
import { postOutside } from '../platform/outbound-request.ts';
import type { ActivityDeps } from './deps.ts';

const TIMEOUT_MS = 10_000;

/** The request that carries an event: signed after Standard Webhooks, or as a Slack-compatible message. */
export function webhookRequest(
  channel: Pick<ChannelRow, 'kind'>,
  secret: string | null,
  message: Pick<DeliveryRow, 'id' | 'event' | 'created_at'>,
) {
  const body = JSON.stringify(
    channel.kind === 'slack'
      ? { text: slackText(message.event) }
      : { type: message.event['type'], timestamp: message.created_at.toISOString(), data: message.event },
  );
  const headers: Record<string, string> = { 'content-type': 'application/json', 'user-agent': 'Switchboard' };
  if (secret === null) return { body, headers };
  const now = new Date();
  return {
    body,
    headers: {
      ...headers,
      'webhook-id': message.id,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      'webhook-signature': new Webhook(secret).sign(message.id, now, body),
    },
  };
}

function slackText(event: DeliveryRow['event']): string {
  const word = (key: string): string => (typeof event[key] === 'string' ? event[key] : '');
  return [`*${word('title') || word('type')}*`, word('message'), word('id'), word('status')]
    .filter((part) => part !== '')
    .join(' · ');
}

/** Sends events to the channels of those they are addressed to. */
export function createDeliveryActivities({
  database,
  envelope,
  allowPrivateWebhooks,
}: ActivityDeps): DeliveryActivities {
  const end = (
    { organisation_id, delivery_id }: DeliveryStart,
    status: DeliveryRow['status'],
    error: string | null,
  ): Promise<unknown> =>
    database.inOrganisation(organisation_id, (sql) => endDelivery(sql, delivery_id, status, error));

  async function send(organisationId: string, channel: ChannelRow, message: DeliveryRow): Promise<void> {
    const url = envelope.openText(organisationId, `${channel.id}:url`, channel.sealed_url);
    const secret =
      channel.sealed_secret === null
        ? null
        : envelope.openText(organisationId, `${channel.id}:secret`, channel.sealed_secret);
    const request = { url, ...webhookRequest(channel, secret, message) };
    const status = await postOutside({ ...request, allowPrivate: allowPrivateWebhooks, timeoutMs: TIMEOUT_MS });
    if (status < 200 || status > 299) throw new Error(`The receiver answered ${String(status)}.`);
  }

  return {
    async deliver(delivery) {
      const { organisation_id, delivery_id } = delivery;
      const message = await database.inOrganisation(organisation_id, (sql) => beginDelivery(sql, delivery_id));
      if (!message || message.status === 'delivered') return { delivered: message !== undefined };
      const channel = await database.inOrganisation(organisation_id, (sql) => findChannel(sql, message.channel_id));
      if (!channel) {
        await end(delivery, 'failed', 'The channel was removed.');
        return { delivered: false };
      }
      await send(organisation_id, channel, message);
      await end(delivery, 'delivered', null);
      return { delivered: true };
    },

    async giveUp(delivery) {
      await end(delivery, 'failed', 'The receiver did not take it for a day.');
    },
  };
}
