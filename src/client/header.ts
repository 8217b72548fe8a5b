import { assertHeaderName } from '../checks.ts'
import type { Client } from './client.ts'

/**
 * Counts by the value of one header, such as an API key. Only the hash of the value reaches the
 * store. The client of a request without the header is unknown. Use a header that something else
 * verifies: a client that invents a new value gets a new quota.
 */
export function header(name: string): Client {
  assertHeaderName('header', name)
  return (request) => request.headers.get(name)
}
