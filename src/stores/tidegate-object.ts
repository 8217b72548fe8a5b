// biome-ignore lint/suspicious/noTsIgnore: in the declarations the error may be missing
/** @ts-ignore A project without Cloudflare's types must be able to read these types. */
import { DurableObject } from 'cloudflare:workers'
import { systemClock } from '../clock.ts'
import { takeFixedWindow, type Window } from './fixed-window.ts'
import { DEFAULT_PREFIX, keyOf } from './key.ts'
import type { Demand, Grant } from './store.ts'

/** How many windows to keep in memory, about 150 bytes each. The table contains all windows. */
const MAX_HELD_WINDOWS = 10_000
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/**
 * The Durable Object that keeps the counts of one client, or of a share of the clients. Bind it as
 * in wrangler.toml, and pass the binding to `durableObject`. Counts are kept in memory and written
 * to SQLite before the object answers, so no count is lost when an object is evicted, moved or
 * deployed again.
 *
 * Rows that a check reads and writes for each policy, by workerd's `rowsRead` and `rowsWritten`:
 * - a check that is granted: 1 written; a check that is refused or has no cost: 0
 * - the first check after a wake-up: 1 more read, and 3 to find the table
 * - the first check of a client, or the first since its rows were swept: 2 more written for the
 *   table,
 *   and 1 for the alarm (https://developers.cloudflare.com/durable-objects/platform/pricing/)
 *
 * No index on `ends_at`: each new window would write it, and only the alarm would read it.
 */
export class TidegateObject extends DurableObject {
  readonly #held = new Map<string, Window>()
  /** `undefined` until storage was read. */
  #hasTable: boolean | undefined
  #hasAlarm = false

  /** The store's clock. */
  protected now(): number {
    return systemClock()
  }

  /**
   * How long ended windows stay, in ms. A client that comes back in that time overwrites its row,
   * at no extra cost. An alarm at the end of each window would cost a busy client two rows per
   * window.
   */
  protected lingering(): number {
    return MINUTE_MS
  }

  /** `take` of `Store`. Atomic, since no other call runs before its first `await`. */
  async take(demands: readonly Demand[]): Promise<readonly Grant[]> {
    const now = this.now()
    const keys = demands.map((demand) => keyOf(DEFAULT_PREFIX, demand))
    const before = keys.map((key) => this.#held.get(key) ?? this.#read(key))
    const { grants, windows } = takeFixedWindow(demands, before, now)
    const open = keys.flatMap((key, index) => {
      const [old, window] = [before[index], windows[index]]
      if (window === undefined) return []
      const changed = window.used !== old?.used || window.endsAt !== old.endsAt
      return [{ key, window, changed }]
    })
    const changed = open.filter((entry) => entry.changed)
    if (changed.length > 0) this.#write(changed)
    for (const { key, window } of open) this.#hold(key, window)
    if (changed.length > 0 && !this.#hasAlarm) {
      this.#hasAlarm = true
      const pending = await this.ctx.storage.getAlarm()
      const longest = Math.max(...changed.map(({ window }) => window.endsAt - now))
      if (pending === null) await this.#sweepIn(longest)
    }
    return grants
  }

  /** `take` for Workers without RPC (compatibility dates before 2024-04-03). */
  async fetch(request: Request): Promise<Response> {
    return Response.json(await this.take(await request.json()))
  }

  /**
   * Deletes ended windows. Runs again when the last open window has ended, not for each window, but
   * within a day, so that a window of a month does not keep other rows.
   */
  async alarm(): Promise<void> {
    const now = this.now()
    for (const [key, { endsAt }] of this.#held) if (endsAt <= now) this.#held.delete(key)
    const { sql } = this.ctx.storage
    const [last] = this.#findTable()
      ? sql.exec<{ at: number | null }>('SELECT max(ends_at) AS at FROM windows').toArray()
      : []
    const endsAt = last?.at ?? 0
    if (endsAt > now) {
      sql.exec('DELETE FROM windows WHERE ends_at <= ?', now)
      await this.#sweepIn(endsAt - now)
      return
    }
    this.#hasTable = false
    this.#hasAlarm = false
    // Also deletes the table: Cloudflare would store and bill an empty table of each client.
    await this.ctx.storage.deleteAll()
  }

  async #sweepIn(ms: number): Promise<void> {
    this.#hasAlarm = true
    // Alarms have their own clock, so only the duration comes from the store's clock.
    await this.ctx.storage.setAlarm(systemClock() + Math.min(ms, DAY_MS) + this.lingering())
  }

  #findTable(): boolean {
    const query = "SELECT name FROM sqlite_master WHERE name = 'windows'"
    this.#hasTable ??= this.ctx.storage.sql.exec(query).toArray().length > 0
    return this.#hasTable
  }

  #read(key: string): Window | undefined {
    if (!this.#findTable()) return undefined
    const query = 'SELECT used, ends_at AS endsAt FROM windows WHERE key = ?'
    return this.ctx.storage.sql.exec<{ used: number; endsAt: number }>(query, key).toArray()[0]
  }

  #write(entries: readonly { readonly key: string; readonly window: Window }[]): void {
    const { storage } = this.ctx
    storage.transactionSync(() => {
      if (!this.#findTable()) storage.sql.exec(TABLE)
      for (const { key, window } of entries) storage.sql.exec(ROW, key, window.used, window.endsAt)
    })
    this.#hasTable = true
  }

  #hold(key: string, window: Window): void {
    this.#held.set(key, window)
    if (this.#held.size <= MAX_HELD_WINDOWS) return
    for (const oldest of this.#held.keys()) {
      this.#held.delete(oldest)
      return
    }
  }
}

/** Without row ids the primary key is the table, so that a window writes one row and not two. */
const TABLE = `CREATE TABLE windows (
  key TEXT PRIMARY KEY, used INTEGER NOT NULL, ends_at INTEGER NOT NULL
) WITHOUT ROWID`

const ROW = `INSERT INTO windows (key, used, ends_at) VALUES (?, ?, ?)
  ON CONFLICT (key) DO UPDATE SET used = excluded.used, ends_at = excluded.ends_at`
