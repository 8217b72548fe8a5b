import { addressOf } from '../client/ip.ts'
import { detectPlatform } from '../environment.ts'
import { splitUrl } from '../url.ts'

/** The field that carries ORIGIN_SECRET. */
const SECRET = 'x-origin-secret'

/**
 * Fields in which proxies and CDNs tell of the client's request, and a client may lie: its address
 * (`X-Forwarded-For`, `Client-IP`, `X-Azure-ClientIP`, all that end in `IP`), its scheme, host and
 * path. And `Proxy`, which CGI hands to programs as HTTP_PROXY (https://httpoxy.org).
 */
const TOLD_BY_PROXIES = RegExp(
  [
    'forwarded',
    '(?:^|-)(?:client|real|remote|socket|user)?ips?(?:v?[46])?$',
    '(?:^|-)(?:client|remote|viewer|external)-addr(?:ess)?$',
    '^x-(?:original|rewrite)-',
    '^x-host$|host-override$',
    '^x-(?:url-)?scheme$|^front-end-https$|^x-script-name$',
    '^proxy$',
    `^${SECRET}$`,
  ].join('|'),
)

/**
 * The addresses that Cloudflare's edge tells, in its own spelling alone.
 * https://developers.cloudflare.com/fundamentals/reference/http-headers/
 */
const SET_BY_CLOUDFLARE = /^cf-(?:connecting-ip(?:v6)?|pseudo-ipv4)$/

/**
 * Tells the origin of the client's request, and the secret if there is one. What the client itself
 * wrote there is dropped: an origin that believes such a field must not believe the client.
 */
export function setForwarded(headers: Headers, request: Request, secret: string | undefined): void {
  const isOnCloudflare = detectPlatform() === 'cloudflare'
  for (const name of [...headers.keys()]) {
    if (isOnCloudflare && SET_BY_CLOUDFLARE.test(name)) continue
    // CGI and WSGI hand `X_Real_IP` and, some, `X.Real.IP` to programs as X-Real-IP.
    if (TOLD_BY_PROXIES.test(name.replace(/[^a-z\d]/g, '-'))) headers.delete(name)
  }
  const { scheme, host } = splitUrl(request.url)
  const address = addressOf(request)
  if (address) {
    headers.set('x-forwarded-for', address)
    headers.set('x-real-ip', address)
  }
  headers.set('x-forwarded-proto', scheme)
  headers.set('x-forwarded-host', host)
  if (secret) headers.set(SECRET, secret)
}
