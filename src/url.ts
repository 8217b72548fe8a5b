/**
 * URLs on every host. Workers with a compatibility date before 2022-10-31 have no `URL.canParse`,
 * and their `URL` throws at a `%` that escapes nothing and rewrites queries
 * (https://developers.cloudflare.com/workers/configuration/compatibility-flags/#use-standard-compliant-url-parsing).
 */

/** Returns the URL, or `undefined` for a text that is not a URL. */
export function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text)
  } catch {
    return undefined
  }
}

/**
 * Splits a request's URL, which its `Request` has already normalised, without changing its parts.
 */
export function splitUrl(url: string) {
  const parts = /^(\w+):\/\/([^/?#]*)([^?#]*)(\??[^#]*)/.exec(url) ?? []
  const [, scheme = '', host = '', path = '', query = ''] = parts
  return { scheme, host, path, query }
}
