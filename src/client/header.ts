import { assertHeaderName } from '../checks.ts'
import type { Client } from './client.ts'

/**
 * Counts by the value of one header, an API key for instance; the store sees only its hash. A
 * request without the header is an unknown client. Count only what something else verifies:
 * whoever invents a new value is a new client.
 */
export function header(name: string): Client {
  assertHeaderName('header', name)
  return (request) => request.headers.get(name)
}
