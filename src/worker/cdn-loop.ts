import { fnv1a } from '../fnv1a.ts'
import { splitUrl } from '../url.ts'

/** Names every proxy that a request has passed (https://www.rfc-editor.org/rfc/rfc8586). */
const CDN_LOOP = 'cdn-loop'

/**
 * Whether a request has been through this gate before. A client that forges the field is refused like
 * a loop, so a forged field gains nothing.
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
 * The same name in all isolates of a gate. Gates that forward to one another have different names,
 * since their hosts or origins differ.
 */
const gateName = (url: string, origin: URL | undefined) =>
  `tidegate-${fnv1a(`${splitUrl(url).host} ${origin?.href}`).toString(36)}`
