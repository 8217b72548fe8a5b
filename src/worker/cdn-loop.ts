import { fnv1a } from '../fnv1a.ts'
import { splitUrl } from '../url.ts'

/** A field with the name of every proxy that a request has passed (RFC 8586). */
const CDN_LOOP = 'cdn-loop'

/**
 * Whether a request has already passed this gate. A client that forges the field is refused like a
 * loop, so forging gains nothing.
 */
export function isLooping({ headers, url }: Request, origin: URL | undefined): boolean {
  return headers.get(CDN_LOOP)?.includes(gateName(url, origin)) ?? false
}

/** Appends the name of this gate to `CDN-Loop`. No name may be removed from it (RFC 8586 §2). */
export function appendCdnLoop(
  passed: Headers,
  { headers, url }: Request,
  origin: URL | undefined,
): void {
  const before = headers.get(CDN_LOOP)
  passed.set(CDN_LOOP, (before ? `${before}, ` : '') + gateName(url, origin))
}

/**
 * Returns the same name in all isolates of a gate. Gates that forward to each other have different
 * names, since their hosts or origins differ.
 */
const gateName = (url: string, origin: URL | undefined) =>
  `tidegate-${fnv1a(`${splitUrl(url).host} ${origin?.href}`).toString(36)}`
