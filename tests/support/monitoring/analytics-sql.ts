import { DatabaseSync } from 'node:sqlite'

/** A point as a Worker writes it to Analytics Engine. */
export interface AnalyticsPoint {
  readonly indexes: readonly string[]
  readonly blobs: readonly string[]
  readonly doubles: readonly number[]
}

const COLUMNS = Array.from({ length: 20 }, (_, index) => index + 1)
const SECONDS = { MINUTE: 60, HOUR: 3600, DAY: 86_400 } as const

/**
 * Runs queries for Workers Analytics Engine in SQLite, over points of which each stands for
 * `sampleInterval` points. Times are numbers of seconds. Shows that the columns and the arithmetic
 * of a query are right, not that Cloudflare accepts it.
 */
export function analyticsEngine(points: readonly AnalyticsPoint[], sampleInterval: number) {
  const database = new DatabaseSync(':memory:')
  const now = Math.floor(Date.now() / 1000)
  database.function('NOW', () => now)
  database.function(
    'toStartOfInterval',
    (time, step) => Math.floor(Number(time) / Number(step)) * Number(step),
  )
  const names = [
    'timestamp',
    '_sample_interval',
    'index1',
    ...COLUMNS.map((column) => `blob${column}`),
    ...COLUMNS.map((column) => `double${column}`),
  ]
  database.exec(`CREATE TABLE tidegate (${names.join(', ')})`)
  const insert = database.prepare(
    `INSERT INTO tidegate VALUES (${names.map(() => '?').join(', ')})`,
  )
  for (const { indexes, blobs, doubles } of points) {
    const texts = COLUMNS.map((column) => blobs[column - 1] ?? '')
    const numbers = COLUMNS.map((column) => doubles[column - 1] ?? 0)
    insert.run(now, sampleInterval, indexes[0] ?? '', ...texts, ...numbers)
  }
  return {
    query: (sql: string) =>
      database
        .prepare(
          sql.replaceAll(
            /INTERVAL '(\d+)' (MINUTE|HOUR|DAY)/g,
            (_, count: string, unit: keyof typeof SECONDS) => `${Number(count) * SECONDS[unit]}`,
          ),
        )
        .all()
        .map((row) => ({ ...row })),
    close: () => database.close(),
  }
}
