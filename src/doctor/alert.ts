import type { Change } from './check-states.ts'

/** Discord rejects longer texts. https://discord.com/developers/docs/resources/webhook#execute-webhook */
const MAX_CONTENT_CHARS = 2000

/** The JSON that a webhook gets when states of checks change. */
export interface Alert {
  /** For Slack, whose markup is escaped. */
  readonly text: string
  /** For Discord, which must not notify anybody whom a server's text names. */
  readonly content: string
  readonly allowed_mentions: { readonly parse: readonly [] }
  /** The variable or flag that names the store. Never a part of a URL. */
  readonly store: string
  /** When the states changed (ISO 8601). */
  readonly at: string
  readonly changes: readonly Change[]
}

export function createAlert(store: string, changes: readonly Change[], now: number): Alert {
  const head = `tidegate doctor, the store that ${store} names:`
  const content = [head, ...changes.map(describeChange)].join('\n')
  return {
    text: escapeForSlack(content),
    content: content.slice(0, MAX_CONTENT_CHARS),
    allowed_mentions: { parse: [] },
    store,
    at: timestamp(now),
    changes,
  }
}

/** A change as a line of the log. */
export const alertLine = (change: Change, now: number) =>
  `${timestamp(now)} ${describeChange(change)}`

export const timestamp = (now: number) => new Date(now).toISOString()

function describeChange({ check, from, to, lasted, says, remedy }: Change): string {
  const before = to === 'ok' ? ` (${from} for ${formatDuration(lasted)})` : ''
  const advice = remedy === undefined ? '' : ` → ${remedy}`
  return `${to}: ${check}${before}: ${says}${advice}`
}

/** https://docs.slack.dev/messaging/formatting-message-text#escaping */
const escapeForSlack = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

function formatDuration(ms: number): string {
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`
}
