import type { Clock } from '../clock.ts'
import { takeFixedWindow, type Window } from '../stores/fixed-window.ts'
import { DEFAULT_PREFIX, keyOf } from '../stores/key.ts'
import type { Demand, Grant } from '../stores/store.ts'
import type { Life } from './life.ts'

/** What Cloudflare bills for all objects together. */
export interface ObjectBill {
  /** Calls, and alarms. */
  readonly requests: number
  /** With one for each alarm that is set. */
  readonly rowsWritten: number
}

/**
 * All Durable Objects, one for each client, by a clock that is given. Decides by the step that
 * `TidegateObject` runs, and counts what that class costs; tests/hosts/durable-object.test.ts
 * compares the rows with those of a real object.
 */
export interface ObjectModel {
  /** `take` of the object of the demands' client. */
  take(demands: readonly Demand[]): readonly Grant[]
  bill(): ObjectBill
  /** Runs the alarms that are still to come. */
  sweep(): void
  /** The life that a key is in now. */
  life(key: string): Life | undefined
}

/** The storage of one client's object. */
interface Storage {
  readonly windows: Map<string, Window>
  /** `undefined` until the first unit, and after a sweep. */
  alarmAt: number | undefined
}

/** See `lingering` in stores/tidegate-object.ts. */
const LINGERING_MS = 60_000
const DAY_MS = 86_400_000
/** A table costs two rows. */
const TABLE_ROWS = 2
const ALARM_ROWS = 1

export function objectModel(clock: Clock): ObjectModel {
  const objects = new Map<string, Storage>()
  const lives = new Map<string, Life>()
  let requests = 0
  let rowsWritten = 0

  const alarmAfter = (time: number, ms: number) => time + Math.min(ms, DAY_MS) + LINGERING_MS

  /** Runs the alarms that are due. A sweep after which nothing is left costs no row. */
  function runAlarms({ windows }: Storage, first: number | undefined, now: number) {
    let alarmAt = first
    while (alarmAt !== undefined && alarmAt <= now) {
      requests++
      const ends = [...windows.values()].map(({ endsAt }) => endsAt)
      const last = Math.max(...ends)
      if (last <= alarmAt) {
        windows.clear()
        return undefined
      }
      for (const [key, { endsAt }] of windows) {
        if (endsAt <= alarmAt && windows.delete(key)) rowsWritten++
      }
      rowsWritten += ALARM_ROWS
      alarmAt = alarmAfter(alarmAt, last - alarmAt)
    }
    return alarmAt
  }

  function storageOf(client: string): Storage {
    const found = objects.get(client) ?? { windows: new Map(), alarmAt: undefined }
    objects.set(client, found)
    return found
  }

  /** Shows the windows as lives of keys, which the simulation's books know. */
  function note(key: string, { used, endsAt }: Window, now: number): void {
    const life = lives.get(key)
    if (life?.endsAt === undefined || life.endsAt <= now) lives.set(key, { count: used, endsAt })
    else life.count = used
  }

  return {
    take(demands) {
      const now = clock()
      const storage = storageOf(demands[0]?.client ?? '')
      storage.alarmAt = runAlarms(storage, storage.alarmAt, now)
      requests++
      const keys = demands.map((demand) => keyOf(DEFAULT_PREFIX, demand))
      const before = keys.map((key) => storage.windows.get(key))
      const { grants, windows } = takeFixedWindow(demands, before, now)
      for (const [index, key] of keys.entries()) {
        const [old, window] = [before[index], windows[index]]
        if (window === undefined) continue
        if (window.used === old?.used && window.endsAt === old.endsAt) continue
        if (storage.alarmAt === undefined) {
          rowsWritten += TABLE_ROWS + ALARM_ROWS
          storage.alarmAt = alarmAfter(now, window.endsAt - now)
        }
        storage.windows.set(key, window)
        rowsWritten++
        note(key, window, now)
      }
      return grants
    },
    bill: () => ({ requests, rowsWritten }),
    sweep() {
      for (const storage of objects.values()) {
        storage.alarmAt = runAlarms(storage, storage.alarmAt, Number.MAX_SAFE_INTEGER)
      }
    },
    life(key) {
      const life = lives.get(key)
      return life?.endsAt !== undefined && clock() < life.endsAt ? life : undefined
    },
  }
}
