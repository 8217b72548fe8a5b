/* The tables of a Durable Object that counts. */

export const WINDOWS = 'windows'
export const SETTLEMENTS = 'settlements'

/** Without row ids the primary key is the table, so that a window writes one row and not two. */
export const WINDOWS_TABLE = `CREATE TABLE ${WINDOWS} (
  key TEXT PRIMARY KEY, used INTEGER NOT NULL, ends_at INTEGER NOT NULL
) WITHOUT ROWID`

export const WINDOW_ROW = `INSERT INTO ${WINDOWS} (key, used, ends_at) VALUES (?, ?, ?)
  ON CONFLICT (key) DO UPDATE SET used = excluded.used, ends_at = excluded.ends_at`

/** The account of each window whose units are settled, and one row for each settlement. */
export const SETTLEMENTS_TABLE = `CREATE TABLE IF NOT EXISTS ${SETTLEMENTS} (
  key TEXT, id TEXT, name TEXT NOT NULL, settled INTEGER NOT NULL, ends_at INTEGER NOT NULL,
  PRIMARY KEY (key, id)
) WITHOUT ROWID`

/** The id of the row of the account itself. */
export const ACCOUNT_ID = ''

export const SETTLEMENT_ROW = `INSERT OR REPLACE INTO ${SETTLEMENTS} (key, id, name, settled, ends_at)
  VALUES (?, ?, ?, ?, ?)`
