import { insist } from '../errors.ts'
import type { Client } from './client.ts'

/** A field name of RFC 9110 §5.1. */
const FIELD_NAME = /^[!#$%&'*+.^_`|~\w-]+$/

/** Throws unless `name` can be the name of a header field. */
export function checkHeaderName(option: string, name: unknown): asserts name is string {
  const ok = typeof name === 'string' && FIELD_NAME.test(name)
  insist(ok, option, name, 'the name of a header, such as "x-api-key"')
}

/**
 * Counts by the value of one header, an API key for instance; the store sees only its hash. A
 * request without the header is an unknown client. Count only what something else verifies:
 * whoever invents a new value is a new client.
 */
export function header(name: string): Client {
  checkHeaderName('header', name)
  return (request) => request.headers.get(name)
}
