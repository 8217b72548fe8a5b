/** An item of a list whose value is a String, with its parameters (RFC 9651 §3). */
const ITEM =
  /("(?:[ !#-[\]-~]|\\["\\])*")(?: *; *[a-z*][a-z\d_.*-]*(?:=(?:"(?:[ !#-[\]-~]|\\["\\])*"|[A-Za-z*][\w!#$%&'*+.^`|~:/-]*|:[\w+/=]*:|\?[01]|@?-?\d{1,15}(?:\.\d{1,3})?))?)*(?=[ \t]*(?:,|$))/y

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
    const kept = itemsOf(value).filter(([, policy]) => !names.has(policy))
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

/** The items of a list, each with the name of its policy. Empty if the field is not such a list. */
function itemsOf(value: string): (readonly [item: string, policy: string])[] {
  const items: (readonly [string, string])[] = []
  let at = 0
  while (at < value.length) {
    ITEM.lastIndex = at
    const found = ITEM.exec(value)
    if (found === null) return []
    const [item, quoted = ''] = found
    items.push([item, quoted.slice(1, -1).replace(/\\(.)/g, '$1')])
    at += item.length + (/^[ \t]*,?[ \t]*/.exec(value.slice(at + item.length))?.[0].length ?? 0)
  }
  return items
}
