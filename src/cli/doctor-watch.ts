import { assertOption, describeType } from '../checks.ts'
import { alertLine, createAlert, timestamp } from '../doctor/alert.ts'
import type { Change } from '../doctor/check-states.ts'
import { type DoctorOptions, readOptions } from '../doctor/options.ts'
import { runChecks } from '../doctor/run-checks.ts'
import { readTarget } from '../doctor/target.ts'
import { watch } from '../doctor/watch.ts'
import { createWebhook } from '../doctor/webhook.ts'
import { type Environment, variable } from '../environment.ts'
import { ConfigError } from '../errors.ts'
import { parseTimeout } from '../policy/duration.ts'
import { parseUrl } from '../url.ts'
import type { NamedStore } from './doctor-store.ts'

const WEBHOOK_VARIABLE = 'DOCTOR_WEBHOOK'

/** The flags of `tidegate doctor` that matter to a watch. */
export interface WatchFlags {
  readonly watch?: string | undefined
  readonly webhook?: string | undefined
  readonly json?: boolean | undefined
  readonly strict?: boolean | undefined
}

export interface WatchSettings {
  /** In ms. */
  readonly interval: number
  readonly webhook: URL | undefined
  readonly json: boolean
}

/** Returns `undefined` without `--watch`. Throws a `ConfigError` for a wrong flag. */
export function readWatchFlags(flags: WatchFlags, env: Environment): WatchSettings | undefined {
  if (flags.watch === undefined) {
    if (flags.webhook !== undefined) throw new ConfigError('--webhook', '--watch beside it')
    return undefined
  }
  if (flags.strict) throw new ConfigError('--strict', 'no --watch beside it')
  const interval = parseTimeout('--watch', flags.watch)
  assertOption(interval >= 1000, '--watch', flags.watch, 'at least 1s')
  const [option, value] =
    flags.webhook === undefined
      ? [WEBHOOK_VARIABLE, variable(env, WEBHOOK_VARIABLE)]
      : ['--webhook', flags.webhook]
  const webhook = value === undefined ? undefined : parseWebhook(option, value)
  return { interval, webhook, json: flags.json === true }
}

/** The value is a secret, so an error describes it and does not show it. */
function parseWebhook(option: string, value: unknown): URL {
  const url = typeof value === 'string' ? parseUrl(value) : undefined
  const isWebhook = url && /^https?:$/.test(url.protocol) && !url.username && !url.password
  if (isWebhook) return url
  const expected = 'the http or https URL of a webhook, without user and password'
  throw new ConfigError(option, expected, describeType(value))
}

/**
 * Watches a store until SIGINT or SIGTERM, and then ends the process. Prints each change of a state
 * to the standard output, and problems of the webhook to the standard error.
 */
export async function watchStore(
  { name, address, open }: NamedStore,
  { interval, webhook: url, json }: WatchSettings,
  options: DoctorOptions,
): Promise<never> {
  const settings = readOptions(options)
  // A closed pipe must not end the watch.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  const notify = (text: string) =>
    console.error(`${timestamp(Date.now())} tidegate doctor: ${text}`)
  const webhook = url && createWebhook({ url, notify, fetch })

  notify(`watches the store that ${name} names, every ${interval / 1000} s`)
  await watch({
    interval,
    thresholds: settings.thresholds,
    async examine(current, evictions) {
      const { target, close } = open()
      try {
        const thresholds = { ...settings.thresholds, ...current }
        const resolved = readTarget(target, address, settings.fetcher)
        return await runChecks(resolved, { ...settings, thresholds, evictions })
      } finally {
        close()
      }
    },
    onChanges(changes, now) {
      for (const change of changes) console.log(json ? jsonLine(change) : alertLine(change, now))
      webhook?.send(createAlert(name, changes, now))

      function jsonLine(change: Change) {
        return JSON.stringify({ at: timestamp(now), store: name, ...change })
      }
    },
    signal: stopSignal(),
  })
  // An examination or a message in flight would hold the process for up to ten seconds.
  process.exit(0)
}

function stopSignal(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => controller.abort())
  }
  return controller.signal
}
