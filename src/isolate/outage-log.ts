import type { Clock } from '../clock.ts'
import { quietLog } from '../quiet-log.ts'
import type { StoreListener } from './outage.ts'

/**
 * Writes outages to the console: a line when the store stops answering and a line when it is back.
 * A store that fails again and again causes one such pair a minute. An outage that was left out and
 * lasts beyond the minute is written then.
 */
export function outageLog(clock: Clock): StoreListener {
  const write = (line: string) => console.warn(`tidegate: ${line}`)
  const log = quietLog(write, clock)
  let isAway = false
  let isLogged = false
  let line = ''
  return {
    notify(event) {
      if (event.type === 'back') {
        isAway = false
        const seconds = (event.lasted / 1000).toFixed(1)
        const counts = `requests decided without it: ${event.decided}, units to charge: ${event.owed}`
        if (isLogged) write(`the store is back after ${seconds} s; ${counts}`)
      } else if (event.type === 'away') {
        isAway = true
        line = `${event.error.message}; this isolate decides alone until the store is back`
        isLogged = log(line)
      } else if (!isAway) {
        log(`${event.error.message}; this isolate decided the request alone`)
      }
    },
    stillAway() {
      isLogged ||= log(line, true)
    },
  }
}
