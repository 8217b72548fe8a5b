import { assertHeaderName } from '../checks.ts'
import type { Client } from './client.ts'

/**
 * Counts by the value of one header, such as an API key. Only the hash of the value reaches the
 * store. The client of a request without the header is unknown. Use a header that your code or
 * proxy verifies: otherwise a client gets a new quota with each value it invents.
 *
 * @example
 * rateLimit({ limit: 100, window: '1m', store, client: header('x-api-key') })
 */
export function header(name: string): Client {
  assertHeaderName('header', name)
  return (request) => request.headers.get(name)
}
