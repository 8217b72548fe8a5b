/** An item of a list whose value is a String, with its parameters (RFC 9651 §3). */
const ITEM =
  /("(?:[ !#-[\]-~]|\\["\\])*")(?: *; *[a-z*][a-z\d_.*-]*(?:=(?:"(?:[ !#-[\]-~]|\\["\\])*"|[A-Za-z*][\w!#$%&'*+.^`|~:/-]*|:[\w+/=]*:|\?[01]|@?-?\d{1,15}(?:\.\d{1,3})?))?)*(?=[ \t]*(?:,|$))/y

/** An item as it is written, and its value: the name of a policy. */
export type ListItem = readonly [item: string, policy: string]

/**
 * The items of `RateLimit` or `RateLimit-Policy`, each with the name of its policy. Empty if the
 * field is not a list of Strings.
 */
export function listItems(value: string): readonly ListItem[] {
  const items: ListItem[] = []
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
