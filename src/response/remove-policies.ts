import { listItems } from './list-items.ts'

/**
 * Removes the `RateLimit` and `RateLimit-Policy` items of these policies from the response of an
 * upstream server: a client cannot distinguish two policies of the same name. All other items stay.
 * Drops a field in an older format, since clients ignore a list with one bad item (RFC 9651 §4.2).
 */
export function removePolicies(response: Response, names: ReadonlySet<string>): Response {
  const changed: (readonly [name: string, value: string])[] = []
  for (const name of ['RateLimit', 'RateLimit-Policy']) {
    const value = response.headers.get(name)
    if (value === null) continue
    const kept = listItems(value).filter(([, policy]) => !names.has(policy))
    const text = kept.map(([item]) => item).join(', ')
    if (text !== value) changed.push([name, text])
  }
  // `Response` cannot copy an upgrade (status 101).
  if (changed.length === 0 || response.status < 200) return response
  const copy = new Response(response.body, response)
  for (const [name, text] of changed) {
    copy.headers.delete(name)
    if (text) copy.headers.set(name, text)
  }
  return copy
}
