// biome-ignore lint/suspicious/noTsIgnore: in the declarations the error may be missing
/** @ts-ignore A project without Cloudflare's types must be able to read these types. */
import { DurableObject } from 'cloudflare:workers'
import { systemClock } from '../clock.ts'
import { settleFixedWindow, withAccounts } from '../settling/account.ts'
import { type Account, takeFixedWindow, type Window } from './fixed-window.ts'
import { DEFAULT_PREFIX, keyOf } from './key.ts'
import type { CountedKey, Demand, Grant, Settlement } from './store.ts'
import {
  ACCOUNT_ID,
  SETTLEMENT_ROW,
  SETTLEMENTS,
  SETTLEMENTS_TABLE,
  WINDOW_ROW,
  WINDOWS,
  WINDOWS_TABLE,
} from './tidegate-object-tables.ts'

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
  /** The names of the tables; `undefined` until storage was read. */
  #tables: Set<string> | undefined
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
    const before = keys.map((key) => this.#find(key))
    const taken = takeFixedWindow(demands, before, now)
    const { grants, windows } = withAccounts(demands, taken)
    const open = keys.flatMap((key, index) => {
      const window = windows[index]
      return window === undefined ? [] : [{ key, old: before[index], window }]
    })
    const changed = open.filter(({ old, window }) => isChanged(old, window))
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

  /** `settle` of `Store`. A settlement writes 3 rows. */
  settle(settlements: readonly Settlement[]): readonly boolean[] {
    const now = this.now()
    return settlements.map((settlement) => {
      const key = keyOf(DEFAULT_PREFIX, settlement)
      const old = this.#find(key)
      const window = settleFixedWindow(settlement, old, now)
      if (window === undefined) return false
      this.#write([{ key, old, window }], settlement.id)
      this.#hold(key, window)
      return true
    })
  }

  /** `reset` of `Store`. */
  reset(keys: readonly CountedKey[]): void {
    const { sql } = this.ctx.storage
    for (const counted of keys) {
      const key = keyOf(DEFAULT_PREFIX, counted)
      this.#held.delete(key)
      for (const table of this.#findTables()) sql.exec(`DELETE FROM ${table} WHERE key = ?`, key)
    }
  }

  /** For Workers without RPC (compatibility dates before 2024-04-03): `take`, or the path's call. */
  async fetch(request: Request): Promise<Response> {
    const body = (await request.json()) as never
    const { pathname } = new URL(request.url)
    if (pathname === '/settle') return Response.json(this.settle(body))
    if (pathname === '/reset') return Response.json(this.reset(body) ?? null)
    return Response.json(await this.take(body))
  }

  /**
   * Deletes ended windows. Runs again when the last open window has ended, not for each window, but
   * within a day, so that a window of a month does not keep other rows.
   */
  async alarm(): Promise<void> {
    const now = this.now()
    for (const [key, { endsAt }] of this.#held) if (endsAt <= now) this.#held.delete(key)
    const { sql } = this.ctx.storage
    const tables = this.#findTables()
    const [last] = tables.has(WINDOWS)
      ? sql.exec<{ at: number | null }>(`SELECT max(ends_at) AS at FROM ${WINDOWS}`).toArray()
      : []
    const endsAt = last?.at ?? 0
    if (endsAt > now) {
      for (const table of tables) sql.exec(`DELETE FROM ${table} WHERE ends_at <= ?`, now)
      await this.#sweepIn(endsAt - now)
      return
    }
    this.#tables = new Set()
    this.#hasAlarm = false
    // Also deletes the tables: Cloudflare would store and bill empty tables of each client.
    await this.ctx.storage.deleteAll()
  }

  async #sweepIn(ms: number): Promise<void> {
    this.#hasAlarm = true
    // Alarms have their own clock, so only the duration comes from the store's clock.
    await this.ctx.storage.setAlarm(systemClock() + Math.min(ms, DAY_MS) + this.lingering())
  }

  #findTables(): Set<string> {
    const query = `SELECT name FROM sqlite_master WHERE name IN ('${WINDOWS}', '${SETTLEMENTS}')`
    this.#tables ??= new Set(
      this.ctx.storage.sql
        .exec<{ name: string }>(query)
        .toArray()
        .map(({ name }) => name),
    )
    return this.#tables
  }

  #find(key: string): Window | undefined {
    return this.#held.get(key) ?? this.#read(key)
  }

  #read(key: string): Window | undefined {
    const tables = this.#findTables()
    if (!tables.has(WINDOWS)) return undefined
    const query = `SELECT used, ends_at AS endsAt FROM ${WINDOWS} WHERE key = ?`
    const { sql } = this.ctx.storage
    const [row] = sql.exec<{ used: number; endsAt: number }>(query, key).toArray()
    if (row === undefined) return undefined
    return { ...row, account: tables.has(SETTLEMENTS) ? this.#readAccount(key, row) : undefined }
  }

  #readAccount(key: string, { endsAt }: { readonly endsAt: number }): Account | undefined {
    const query = `SELECT id, name, settled FROM ${SETTLEMENTS} WHERE key = ? AND ends_at >= ?`
    const rows = this.ctx.storage.sql
      .exec<{ id: string; name: string; settled: number }>(query, key, endsAt)
      .toArray()
    const account = rows.find(({ id }) => id === ACCOUNT_ID)
    if (account === undefined) return undefined
    const { name, settled } = account
    const ids = rows.filter((row) => row.name === name && row !== account).map(({ id }) => id)
    return { name, settled, ids: new Set(ids) }
  }

  /** @param settled the id of the settlement that has changed the window */
  #write(entries: readonly Change[], settled?: string): void {
    const { storage } = this.ctx
    const { sql } = storage
    const tables = this.#findTables()
    storage.transactionSync(() => {
      if (!tables.has(WINDOWS)) sql.exec(WINDOWS_TABLE)
      for (const { key, old, window } of entries) {
        const { used, endsAt, account } = window
        sql.exec(WINDOW_ROW, key, used, endsAt)
        if (account === undefined || account === old?.account) continue
        sql.exec(SETTLEMENTS_TABLE)
        sql.exec(SETTLEMENT_ROW, key, ACCOUNT_ID, account.name, account.settled, endsAt)
        if (settled !== undefined) sql.exec(SETTLEMENT_ROW, key, settled, account.name, 0, endsAt)
      }
    })
    tables.add(WINDOWS)
    if (entries.some(({ window }) => window.account)) tables.add(SETTLEMENTS)
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

/** A window that has to be written, and what is stored of it. */
interface Change {
  readonly key: string
  readonly old: Window | undefined
  readonly window: Window
}

const isChanged = (old: Window | undefined, { used, endsAt, account }: Window): boolean =>
  used !== old?.used || endsAt !== old.endsAt || account !== old.account
