/** The options that tell where a client of ioredis, iovalkey or node-redis counts. */
interface ShownOptions {
  readonly url?: unknown
  readonly socket?: { readonly host?: unknown; readonly port?: unknown; readonly path?: unknown }
  readonly database?: unknown
  readonly host?: unknown
  readonly port?: unknown
  readonly path?: unknown
  readonly sentinels?: unknown
  readonly name?: unknown
  readonly db?: unknown
  readonly username?: unknown
  readonly keyPrefix?: unknown
}

/**
 * Returns a text that names the server, the database and the prefix of all keys. Two clients with
 * the same text count in the same place. `undefined` if the client does not show its server.
 */
export function clientIdentity(client: object, prefix: string): string | undefined {
  const { options } = client as { readonly options?: ShownOptions | null }
  if (typeof options !== 'object' || options === null) return undefined
  const { url, socket, host, port, path, sentinels, name } = options
  const server = [url, socket?.host, socket?.port, socket?.path, host, port, path, sentinels, name]
  if (!server.some(Boolean)) return undefined
  const { database, db, username, keyPrefix } = options
  return JSON.stringify([...server, database, db, username, keyPrefix, prefix])
}
