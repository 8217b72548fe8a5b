import { hash } from '../stores/durable-object.ts'
import { splitUrl } from '../url.ts'

/** https://www.rfc-editor.org/rfc/rfc8586 */
const CDN_LOOP = 'cdn-loop'

/**
 * Whether a request has been through this gate before. A client that forges the field is refused
 * like a loop, so it gains nothing.
 */
export function isLooping({ headers, url }: Request, origin: URL | undefined): boolean {
  return headers.get(CDN_LOOP)?.includes(gateName(url, origin)) ?? false
}

/** Appends the name of this gate to `CDN-Loop`, from which no name may be removed. */
export function markLoop(
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
  `tidegate-${hash(`${splitUrl(url).host} ${origin?.href}`).toString(36)}`
