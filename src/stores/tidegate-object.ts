// biome-ignore lint/suspicious/noTsIgnore: it has to reach the declarations, where nothing may fail
/** @ts-ignore A project without Cloudflare's types can read this one's all the same. */
import { DurableObject } from 'cloudflare:workers'
import { systemClock } from '../clock.ts'
import { takeFixedWindow, type Window } from './fixed-window.ts'
import { DEFAULT_PREFIX, keyOf } from './key.ts'
import type { Demand, Grant } from './store.ts'

/** How many windows to hold in memory, about 150 bytes each. The table has them all. */
const MAX_HELD = 10_000
const MINUTE = 60_000
const DAY = 86_400_000

/**
 * The counts of one client, or of a share of the clients. Bind it as wrangler.toml does, and give the
 * binding to `durableObject`. Counts are held in memory and written to SQLite before the answer goes
 * out, so an object that was evicted, moved or deployed anew has forgotten nothing.
 *
 * What a check costs in rows, as `rowsRead` and `rowsWritten` of workerd tell it, for each policy:
 * - granted: 1 written; refused, or only looked: none
 * - the first after a wake-up: 1 read more, and 3 to find the table
 * - the first of a client ever, or since its rows were swept: 2 written more for the table, and 1 for
 *   the alarm (https://developers.cloudflare.com/durable-objects/platform/pricing/)
 *
 * No index on `ends_at`: it would be written with each window, and is read by the alarm alone.
 */
export class TidegateObject extends DurableObject {
  readonly #held = new Map<string, Window>()
  /** Nothing as long as storage was not asked. */
  #hasTable: boolean | undefined
  #hasAlarm = false

  /** The store's clock. */
  protected now(): number {
    return systemClock()
  }

  /**
   * How long ended windows stay, in ms. A client who comes back meanwhile writes over them, which
   * costs nothing more; an alarm at each end would cost a busy client two rows a window.
   */
  protected lingering(): number {
    return MINUTE
  }

  /** What `Store` says of `take`. Up to its first `await` nothing else runs, hence it is atomic. */
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

  /** `take` for Workers without remote calls (compatibility dates before 2024-04-03). */
  async fetch(request: Request): Promise<Response> {
    return Response.json(await this.take(await request.json()))
  }

  /**
   * Sweeps what has ended. It comes again when the last window has ended that is still open, and not
   * for each; but within a day, so that a window of a month keeps no others.
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
    // All, and not the rows alone: an empty table is stored, and billed, for each client for ever.
    await this.ctx.storage.deleteAll()
  }

  async #sweepIn(ms: number): Promise<void> {
    this.#hasAlarm = true
    // A duration of the store's clock, on the clock of the alarm.
    await this.ctx.storage.setAlarm(systemClock() + Math.min(ms, DAY) + this.lingering())
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
    if (this.#held.size <= MAX_HELD) return
    for (const oldest of this.#held.keys()) {
      this.#held.delete(oldest)
      return
    }
  }
}

/** Without row ids the primary key is the table: one row written and not two. */
const TABLE = `CREATE TABLE windows (
  key TEXT PRIMARY KEY, used INTEGER NOT NULL, ends_at INTEGER NOT NULL
) WITHOUT ROWID`

const ROW = `INSERT INTO windows (key, used, ends_at) VALUES (?, ?, ?)
  ON CONFLICT (key) DO UPDATE SET used = excluded.used, ends_at = excluded.ends_at`
