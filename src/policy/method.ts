/**
 * Header fields by which frameworks let a request replace its method: Express, Rails, Symfony,
 * Laravel, ASP.NET and CakePHP read the first, OData and IBM's products the others.
 */
const OVERRIDES = ['x-http-method-override', 'x-http-method', 'x-method-override']

/** The same as CGI and WSGI read them, for which `_` in a name is `-`. */
export const OVERRIDE = /^x.(?:http.method(?:.override)?|method.override)$/

/** A longer claim is not parsed, and counts: frameworks differ in which part of a list they use. */
const MAX_CLAIM = 60

/**
 * The parameter `_method` of the query, which Express, Symfony, Spring and Hono may read, in each
 * spelling that is decoded to it. PHP drops blanks before a name, takes `.` for `_`, and
 * ends a name at NUL.
 * `URLSearchParams` is no help: it needs 50 ms for a hostile query of 12 kB.
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
  return claimsOf(request).some(
    (claim) => claim.length > MAX_CLAIM || split(claim).some((one) => methods.has(one)),
  )
}

/** What a request writes in the places where frameworks look for another method. */
export function claimsOf({ method, headers, url }: Request): readonly string[] {
  // On Workers a pass over all fields costs ten times as much as three look-ups.
  const names = method === 'GET' || method === 'HEAD' ? OVERRIDES : headers.keys()
  const claims: string[] = []
  for (const name of names) {
    const claim = OVERRIDE.test(name) && headers.get(name)
    if (typeof claim === 'string') claims.push(claim)
  }
  if (!url.includes('?')) return claims
  for (const [, claim = ''] of url.matchAll(PARAMETER)) claims.push(decodeAscii(claim))
  return claims
}

/** Fields sent twice are joined by commas (RFC 9110 §5.3); frameworks take one of them. */
const split = (claim: string) => claim.toUpperCase().split(/\s*,\s*/)

const decodeAscii = (text: string) =>
  text.replace(/%([2-7][\da-f])/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
