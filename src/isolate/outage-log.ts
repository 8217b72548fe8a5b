import type { Clock } from '../clock.ts'
import type { StoreError } from '../errors.ts'
import { quietLog } from '../quiet-log.ts'

/** Called when a store stops answering, and when it answers again. */
export interface OutageListener {
  /** Errors that it throws are logged and do not reach the request. */
  onAway(error: StoreError): unknown
  /** A further check was counted locally. */
  onMissed?(): void
  /** @param checks how many checks this isolate counted during the outage */
  onBack?(checks: number): void
}

/**
 * Writes outages to the console: a line when the store stops answering and a line when it is back.
 * A store that fails again and again causes one such pair a minute. An outage that was left out and
 * lasts beyond the minute is written then.
 */
export function outageLog(clock: Clock): OutageListener {
  const write = (line: string) => console.warn(`tidegate: ${line}`)
  const log = quietLog(write, clock)
  let since = 0
  let line = ''
  let isLogged = false
  return {
    onAway({ message }) {
      since = clock()
      line = `${message}; this isolate counts alone until the store is back`
      isLogged = log(line)
    },
    onMissed() {
      isLogged ||= log(line, true)
    },
    onBack(checks) {
      if (!isLogged) return
      const seconds = ((clock() - since) / 1000).toFixed(1)
      write(
        `the store is back after ${seconds} s; checks that this isolate counted alone: ${checks}`,
      )
    },
  }
}
