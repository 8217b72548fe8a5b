import { describe, expect, test } from 'vitest'
import { setForwardedFields } from '../../src/worker/forwarded-fields.ts'

/** The fields that reach the origin of a request with these, without those that the gate sets. */
function passedOn(names: readonly string[]): readonly string[] {
  const headers = new Headers(names.map((name) => [name, 'from the client']))
  setForwardedFields(headers, new Request('https://example.com/'), undefined)
  const passed = [...headers].filter(([, value]) => value === 'from the client')
  return passed.map(([name]) => name)
}

/** What proxies and CDNs report, by what a client could feign with it. */
const reports: Readonly<Record<string, readonly string[]>> = {
  'the path, which Gunicorn cuts by SCRIPT_NAME': [
    'Script-Name',
    'SCRIPT_NAME',
    'X-Script-Name',
    'Path-Info',
    'PATH_INFO',
    'X-Path-Info',
  ],
  'its address, in a misspelt list': [
    'X-Forward-For',
    'Forward-For',
    'X-Forwarder-For',
    'X-Forward-Host',
    'X-Vercel-Proxied-For',
    'X-Originally-Forwarded-For',
    'X_Forwarded_For',
  ],
  'its address': [
    'IP',
    'X-IP',
    'IP-Address',
    'X-IP-Address',
    'IPv6',
    'X-Client-IPs',
    'X-Client-IPAddress',
    'X-Client-IP-Addr',
    'X-Remote-IP-Address',
    'X-SourceIP',
    'X-Source-IP',
    'CDN-Src-IP',
    'X-Peer-Address',
    'X-Peer-IP',
    'X-Remote-Addr',
    'X-Remote-Host',
    'X-True-IP',
    'X-Trusted-IP',
    'X-Visitor-IP',
    'X-User-IP',
    'X-ProxyUser-Ip',
    'X-Originating-IP',
    'X-Original-IP',
    'DO-Connecting-IP',
    'X-NF-Client-Connection-IP',
    'X-Cluster-Client-IP',
    'X-Azure-SocketIP',
    'CF_Connecting_IP',
    'X-Custom-IP-Authorization',
    '$WSRA',
  ],
  'the address it asked for': [
    'X-Host',
    'X-HTTP-Host',
    'X-HTTP-Host-Override',
    'X-URL-Override',
    'X-Override-URL',
    'X-HTTP-DestinationURL',
    'X-Proxy-URL',
    'Proxy-Host',
    'Request-URI',
    'X-Request-URI',
    'Url',
    'Http-Url',
    'X-Original-URL',
    'X-OriginalURL',
    'X-Original-URI',
    'X-Original-Host',
    'X-Original-Path',
    'X-Original-Method',
    'X-Original-Forwarded-Prefix',
    'X-Original-Remote-Addr',
    'X-Rewrite-URL',
    'X-Rewritten-URL',
    'X-MS-Original-URL',
    'X-WAWS-Unencoded-URL',
    'X-Envoy-Original-Path',
    'X-Envoy-Original-Host',
    'X-Envoy-Original-Dst-Host',
    '$WSSN',
  ],
  'its scheme': [
    'X-Scheme',
    'X-URL-Scheme',
    'X-Client-Scheme',
    'X-Original-Proto',
    'X-Proto',
    'X-HTTPS',
    'HTTPS',
    'X-Arr-SSL',
    'Fastly-SSL',
    'WL-Proxy-SSL',
    'X-AppEngine-HTTPS',
    'Front-End-Https',
    'CF_Visitor',
    '$WSSC',
  ],
}

describe('a client cannot feign what a proxy would report:', () => {
  for (const [kind, names] of Object.entries(reports)) {
    test(kind, () => expect(passedOn(names)).toEqual([]))
  }
})

/** What applications, browsers and WebDAV use. */
const own = [
  'x-original-filename',
  'x-original-name',
  'x-original-format',
  'x-original-content-length',
  'x-rewrite-rule',
  'x-allowed-ip',
  'x-device-ip',
  'x-user-ips',
  'x-geo-ip',
  'x-zip',
  'x-membership',
  'x-user-address',
  'x-ip-country',
  'x-client',
  'x-client-id',
  'x-source',
  'x-callback-url',
  'x-http-method-override',
  'x-requested-with',
  'x-request-id',
  'x-client-protocol-version',
  'access-control-request-method',
  'destination',
  'host',
  'origin',
  'sec-ch-prefers-color-scheme',
  'sec-websocket-protocol',
]

test("an application's own fields reach it, though their names contain such a word", () => {
  expect(passedOn(own)).toEqual([...own].sort())
})

test('a claimed method reaches the origin in the spelling that policies read, and in no other', () => {
  const plain = ['x-http-method', 'x-http-method-override', 'x-method-override']
  const odd = ['X_HTTP_Method_Override', 'X-HTTP_Method', 'X.Method.Override']
  expect(passedOn([...plain, ...odd])).toEqual(plain)
})
