import { platformAddress } from '../client/platform-address.ts'
import { detectPlatform } from '../environment.ts'
import { OVERRIDE_FIELD } from '../policy/method.ts'
import { splitUrl } from '../url.ts'

/** The field that carries ORIGIN_SECRET. */
const SECRET_FIELD = 'x-origin-secret'

/** Words for the client in field names. Not `user`: `X-User-Address` may be a postal address. */
const CLIENT_WORDS =
  'client|connect(?:ing|ion)|external|origin(?:al|ating)?|peer|real|remote|socket|source|src|' +
  'tru(?:e|sted)|viewer|visitor'
/** Words in field names for a part of the request that a proxy may have changed. */
const PART_WORDS = 'for|host(?:name)?|path|port|prefix|proto(?:col)?|scheme|ur[il]'

/**
 * Fields in which proxies and CDNs report the client's address and scheme, and the requested host
 * and path. A client may forge them. Does not match other names with such words, which applications
 * may use: `X-Device-IP`, `X-Original-Filename`.
 */
const PROXY_FIELD = RegExp(
  [
    'forward|proxied',
    '(?:^|-)(?:original(?:-dst)?|rewrit(?:e|ten)|unencoded|override|destination|proxy|request)-?' +
      `(?:${PART_WORDS}|remote)(?:-|$)`,
    `(?:original|rewrite)-method$|(?:${PART_WORDS})-override$`,
    `(?:^|-)(?:${CLIENT_WORDS})-?(?:ip-?)?(?:ip|addr|host|proto|scheme)[a-z\\d]*$`,
    'user-?ip$|-ip-authorization$|(?:^|-)(?:https|ssl)$|^x-(?:http-)?host$|^cf-visitor$',
    // Gunicorn splits the path by a proxy's `Script-Name` and `Path-Info`. CGI passes `Proxy` to
    // programs as HTTP_PROXY (https://httpoxy.org).
    '^(?:x-)?(?:ip(?:v?[46])?(?:-?addr(?:ess)?)?|(?:url-)?(?:scheme|proto(?:col)?)|' +
      '(?:http-)?ur[il]|script-name|path-info|proxy)$',
    // `$WSRA` and others, from IBM's plug-in to WebSphere.
    '^-ws',
    `^${SECRET_FIELD}$`,
  ].join('|'),
)

/**
 * Fields that Cloudflare's edge overwrites on every request, in its own spelling alone.
 * https://developers.cloudflare.com/fundamentals/reference/http-headers/
 */
const CLOUDFLARE_FIELD = /^cf-(?:connecting-ip(?:v6)?|pseudo-ipv4|visitor)$/

/**
 * Sets the `X-Forwarded-*` fields and the origin's secret. Removes what the client wrote in such
 * fields, so that an origin that trusts them does not trust the client. Also removes method
 * overrides in spellings that no policy reads.
 */
export function setForwardedFields(
  headers: Headers,
  request: Request,
  secret: string | undefined,
): void {
  const isOnCloudflare = detectPlatform() === 'cloudflare'
  for (const name of [...headers.keys()]) {
    if (isOnCloudflare && CLOUDFLARE_FIELD.test(name)) continue
    // CGI and WSGI read `X_Real_IP` as X-Real-IP. Some servers also read `X.Real.IP` as X-Real-IP.
    const read = name.replace(/[^a-z\d]/g, '-')
    const isOdd = read !== name && OVERRIDE_FIELD.test(read)
    if (isOdd || PROXY_FIELD.test(read)) headers.delete(name)
  }
  const { scheme, host } = splitUrl(request.url)
  const address = platformAddress(request)
  if (address) {
    headers.set('x-forwarded-for', address)
    headers.set('x-real-ip', address)
  }
  headers.set('x-forwarded-proto', scheme)
  headers.set('x-forwarded-host', host)
  if (secret) headers.set(SECRET_FIELD, secret)
}
