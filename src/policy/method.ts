/**
 * Header fields by which frameworks let a request replace its method: Express, Rails, Symfony,
 * Laravel, ASP.NET and CakePHP read the first, OData and IBM's products the others.
 */
const OVERRIDE_FIELDS = ['x-http-method-override', 'x-http-method', 'x-method-override']

/** The same fields with any character for `-`: CGI and WSGI read `_` in a name as `-`. */
export const OVERRIDE_FIELD = /^x.(?:http.method(?:.override)?|method.override)$/

/**
 * A longer claim counts without being parsed: frameworks differ in which part of a list they use.
 */
const MAX_CLAIM_CHARS = 60

/**
 * The parameter `_method` of the query, which Express, Symfony, Spring and Hono may read, in each
 * spelling that is decoded to it. PHP removes blanks before a name, reads `.` as `_`, and ends a
 * name at NUL. Not by `URLSearchParams`, which takes 50 ms for a hostile query of 12 kB.
 */
const PARAMETER =
  /[?&;](?:\+|%20)*(?:[_.]|%5f|%2e)(?:m|%6d)(?:e|%65)(?:t|%74)(?:h|%68)(?:o|%6f)(?:d|%64)(?:%00[^=&;#]*)?=([^&;#]*)/gi

/**
 * Whether a request has one of these methods, or claims one in a place where frameworks look for
 * it. Both count, since the limiter cannot know which method the application uses. A claim in the
 * body is not read.
 */
export function hasMethod(request: Request, methods: ReadonlySet<string>): boolean {
  if (methods.has(request.method)) return true
  return methodOverrides(request).some(
    (claim) => claim.length > MAX_CLAIM_CHARS || split(claim).some((one) => methods.has(one)),
  )
}

/** Returns what a request contains in the places where frameworks look for another method. */
export function methodOverrides({ method, headers, url }: Request): readonly string[] {
  // On Workers a loop over all fields costs ten times as much as three look-ups.
  const names = method === 'GET' || method === 'HEAD' ? OVERRIDE_FIELDS : headers.keys()
  const claims: string[] = []
  for (const name of names) {
    const claim = OVERRIDE_FIELD.test(name) && headers.get(name)
    if (typeof claim === 'string') claims.push(claim)
  }
  if (!url.includes('?')) return claims
  for (const [, claim = ''] of url.matchAll(PARAMETER)) claims.push(decodeAscii(claim))
  return claims
}

/** Fields that are sent twice are joined by commas (RFC 9110 §5.3). Frameworks use one of them. */
const split = (claim: string) => claim.toUpperCase().split(/\s*,\s*/)

const decodeAscii = (text: string) =>
  text.replace(/%([2-7][\da-f])/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
