import { platformAddress } from '../client/platform-address.ts'
import { detectPlatform } from '../environment.ts'
import { OVERRIDE_FIELD } from '../policy/method.ts'
import { splitUrl } from '../url.ts'

/** The field that carries ORIGIN_SECRET. */
const SECRET = 'x-origin-secret'

/** Words for the client in names of fields. Not `user`: `X-User-Address` may be a postal address. */
const CLIENT =
  'client|connect(?:ing|ion)|external|origin(?:al|ating)?|peer|real|remote|socket|source|src|' +
  'tru(?:e|sted)|viewer|visitor'
/** Words for a part of the request that a proxy may have changed. */
const PART = 'for|host(?:name)?|path|port|prefix|proto(?:col)?|scheme|ur[il]'

/**
 * Fields in which proxies and CDNs report the client's address, its scheme, and the host and path it
 * asked for. A client may forge them. Names that only contain such a word are left alone, since an
 * application may use them: `X-Device-IP`, `X-Original-Filename`.
 */
const TOLD_BY_PROXIES = RegExp(
  [
    'forward|proxied',
    '(?:^|-)(?:original(?:-dst)?|rewrit(?:e|ten)|unencoded|override|destination|proxy|request)-?' +
      `(?:${PART}|remote)(?:-|$)`,
    `(?:original|rewrite)-method$|(?:${PART})-override$`,
    `(?:^|-)(?:${CLIENT})-?(?:ip-?)?(?:ip|addr|host|proto|scheme)[a-z\\d]*$`,
    'user-?ip$|-ip-authorization$|(?:^|-)(?:https|ssl)$|^x-(?:http-)?host$|^cf-visitor$',
    // Gunicorn takes `Script-Name` and `Path-Info` from a proxy and cuts the path by them. CGI hands
    // `Proxy` to programs as HTTP_PROXY (https://httpoxy.org).
    '^(?:x-)?(?:ip(?:v?[46])?(?:-?addr(?:ess)?)?|(?:url-)?(?:scheme|proto(?:col)?)|' +
      '(?:http-)?ur[il]|script-name|path-info|proxy)$',
    // `$WSRA` and others, from IBM's plug-in to WebSphere.
    '^-ws',
    `^${SECRET}$`,
  ].join('|'),
)

/**
 * Fields that Cloudflare's edge overwrites on every request, in its own spelling alone.
 * https://developers.cloudflare.com/fundamentals/reference/http-headers/
 */
const SET_BY_CLOUDFLARE = /^cf-(?:connecting-ip(?:v6)?|pseudo-ipv4|visitor)$/

/**
 * Tells the origin of the client's request, and the secret if there is one. What the client itself
 * wrote there is dropped: an origin that believes such a field must not believe the client. So is a
 * claimed method in a spelling that no policy reads.
 */
export function setForwarded(headers: Headers, request: Request, secret: string | undefined): void {
  const isOnCloudflare = detectPlatform() === 'cloudflare'
  for (const name of [...headers.keys()]) {
    if (isOnCloudflare && SET_BY_CLOUDFLARE.test(name)) continue
    // CGI and WSGI hand `X_Real_IP` and, some, `X.Real.IP` to programs as X-Real-IP.
    const read = name.replace(/[^a-z\d]/g, '-')
    const isOdd = read !== name && OVERRIDE_FIELD.test(read)
    if (isOdd || TOLD_BY_PROXIES.test(read)) headers.delete(name)
  }
  const { scheme, host } = splitUrl(request.url)
  const address = platformAddress(request)
  if (address) {
    headers.set('x-forwarded-for', address)
    headers.set('x-real-ip', address)
  }
  headers.set('x-forwarded-proto', scheme)
  headers.set('x-forwarded-host', host)
  if (secret) headers.set(SECRET, secret)
}
