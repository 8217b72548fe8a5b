/**
 * `Cache-Control`, and the fields that override it for one kind of cache: those of RFC 9213,
 * Akamai's `Edge-Control`, nginx's `X-Accel-Expires`.
 */
const CACHE_FIELD = /(?:surrogate|edge|cache)-control$|^x-accel-expires$/

/** Removes them from a refusal, since any of them would override its `no-store` for some cache. */
export function removeCacheFields(headers: Headers): void {
  for (const name of [...headers.keys()]) if (CACHE_FIELD.test(name)) headers.delete(name)
}

/** Blanks and quoted texts, including a quoted text without an end. */
const QUOTED = /"(?:[^"\\]|\\.)*"?|\s/g

/**
 * Directives that keep a response out of shared caches, and directives that allow it there (RFC
 * 9111 §5.2.2). `private="a"` keeps only the field `a` out. With `must-understand`, caches may
 * ignore `no-store`.
 */
const NOT_SHARED = /,private,|^(?!.*must-understand).*,no-store,/i
const SHARED = /,(?:public|s-maxage)[,=]|,private=/i

/**
 * Returns the `Cache-Control` that keeps a response out of shared caches; '' if the response has
 * such a field already, `undefined` if it asks shared caches to keep it.
 */
export function privateControl(headers: Headers, names: readonly string[]): string | undefined {
  let control = 'private'
  for (const name of names) {
    const given = CACHE_FIELD.test(name) && headers.get(name)
    if (typeof given !== 'string') continue
    const directives = `,${given.replace(QUOTED, '')},`
    const isCacheControl = name === 'cache-control'
    if (NOT_SHARED.test(directives)) {
      if (isCacheControl) control = ''
    } else if (isCacheControl ? SHARED.test(directives) : given !== '0') {
      return undefined
    } else if (isCacheControl) {
      // Caches would read a word behind an open quote as part of the quoted text.
      control = given.includes('"') ? `private, ${given}` : `${given}, private`
    }
  }
  return control
}
