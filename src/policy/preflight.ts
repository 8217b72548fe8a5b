import { OVERRIDES } from './method.ts'

/**
 * Whether a browser asks leave for a request of another origin
 * (https://fetch.spec.whatwg.org/#cors-preflight-request). It sends none of the page's fields with
 * it: with one that replaces the method it is no preflight.
 */
export function isPreflight({ method, headers }: Request): boolean {
  return (
    method === 'OPTIONS' &&
    headers.has('origin') &&
    headers.has('access-control-request-method') &&
    !OVERRIDES.some((name) => headers.has(name))
  )
}
