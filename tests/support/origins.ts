/**
 * Models of how servers read the path of a request before they route it, written from what their
 * makers document. Each takes the path as it is forwarded and returns the path that is routed by, or
 * nothing where the server refuses or redirects. Names in ASCII are all that is modelled.
 */
export type Origin = (path: string) => string | undefined

/** Unescapes once, `except` for some characters; nothing where an escape is broken, as most do. */
function unescaped(path: string, except = ''): string | undefined {
  if (/%(?![0-9a-fA-F]{2})/.test(path)) return undefined
  return path.replace(/%([0-9a-fA-F]{2})/g, (escaped, digits) => {
    const character = String.fromCharCode(Number.parseInt(digits, 16))
    return except.includes(character) ? escaped : character
  })
}

/** Steps up over `..`; nothing where a path steps above the root. */
function resolved(path: string, { merge = false, clamp = false } = {}): string | undefined {
  const kept: string[] = []
  for (const segment of path.split('/').slice(1)) {
    if (segment === '.' || (merge && segment === '')) continue
    if (segment !== '..') kept.push(segment)
    else if (kept.pop() === undefined && !clamp) return undefined
  }
  return `/${kept.join('/')}`
}

const withoutParameters = (path: string) =>
  path
    .split('/')
    .map((segment) => segment.split(';')[0])
    .join('/')

/** Runs steps one after the other for as long as none refuses. */
const steps =
  (...list: readonly Origin[]): Origin =>
  (path) =>
    list.reduce<string | undefined>((at, step) => (at === undefined ? at : step(at)), path)

const refuse =
  (...what: readonly string[]): Origin =>
  (path) =>
    what.some((text) => path.includes(text)) ? undefined : path

const lower: Origin = (path) => path.toLowerCase()
const slashes: Origin = (path) => path.replaceAll('\\', '/')
const fromUtf16: Origin = (path) => path.replace(/%u00(?=[0-9a-fA-F]{2})/g, '%')
const oneEndingSlash: Origin = (path) => path.replace(/(?<=.)\/$/, '')

/**
 * Cuts parameters off, unescapes, then normalises `\`, `//`, `/./` and `/../`. `allowBackslash` and
 * `encodedSolidusHandling`: https://tomcat.apache.org/tomcat-11.0-doc/config/http.html
 */
const tomcat = (solidus: 'reject' | 'decode' | 'passthrough', allowBackslash = false) =>
  steps(
    withoutParameters,
    solidus === 'reject' ? refuse('%2f', '%2F') : (path) => path,
    (path) => unescaped(path, solidus === 'passthrough' ? '/%' : ''),
    refuse('\0', ...(allowBackslash ? [] : ['\\'])),
    slashes,
    (path) => resolved(path, { merge: true }),
    oneEndingSlash,
  )

/**
 * Drops parameters, unescapes all but `%2F` and `%25`, and then resolves:
 * https://eclipse.dev/jetty/javadoc/jetty-12/org/eclipse/jetty/http/HttpURI.html
 * Ambiguous paths and `%u` pass where UriCompliance.UNSAFE or LEGACY says so; getDecodedPath, by
 * which Jetty 10 and 11 route, unescapes what is left.
 */
const jetty = (by: 'canonical' | 'decoded') =>
  steps(
    withoutParameters,
    fromUtf16,
    (path) => unescaped(path, '/%'),
    refuse('\0'),
    (path) => resolved(path),
    by === 'decoded' ? (path) => unescaped(path) : (path) => path,
    oneEndingSlash,
  )

/** Jetty 9.4 unescapes all at once, then resolves. */
const jetty9 = steps(
  withoutParameters,
  fromUtf16,
  (path) => unescaped(path),
  refuse('\0'),
  (path) => resolved(path),
  oneEndingSlash,
)

/**
 * Matches locations against the path that is unescaped, then resolved, its doubled slashes merged:
 * https://nginx.org/en/docs/http/ngx_http_core_module.html#location and #merge_slashes
 */
const nginx = (mergeSlashes: boolean) =>
  steps(
    (path) => unescaped(path),
    refuse('\0'),
    (path) => resolved(path, { merge: mergeSlashes }),
  )

/** What `proxy_pass` with a path sends on: the normalised path, escaped again where it must be. */
const nginxPassesOn = steps(nginx(true), (path) =>
  path.replace(/[^!-~]|[%?#]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`
  }),
)

/**
 * Routes by the path as it was sent; letter case and an ending slash do not matter by default:
 * https://expressjs.com/en/5x/api.html#express.router
 */
const express = steps(lower, oneEndingSlash)

/** Routes by the path after `decodeURI`, which leaves escapes of `/ ; ? #`: Hono, `req.path`. */
const hono: Origin = (path) => {
  try {
    return decodeURI(path)
  } catch {
    return path
  }
}

/**
 * Compares segments unescaped one by one since 1.22, before that the path unescaped as a whole; a
 * path with `.`, `..` or `//` is redirected: https://pkg.go.dev/net/http#ServeMux
 */
const go = (version: '1.21' | '1.22'): Origin => {
  return (path) => {
    const whole = unescaped(path)
    if (whole === undefined) return undefined
    const seen = version === '1.21' ? whole : path
    if (resolved(seen, { merge: true, clamp: true }) !== (oneEndingSlash(seen) ?? '')) return
    if (version === '1.21') return oneEndingSlash(whole)
    const segments = path.split('/').map((segment) => unescaped(segment) ?? '')
    // A slash inside a segment is a character of its name.
    return oneEndingSlash(segments.map((segment) => segment.replaceAll('/', '%2f')).join('/'))
  }
}

/**
 * Http.sys unescapes, `%uXXXX` too, turns `\` into `/` and resolves (Microsoft KB 896287, KB 820129);
 * the file system behind it ignores dots and blanks at the end of a name.
 */
const iis = (names: 'routes' | 'files') =>
  steps(
    fromUtf16,
    (path) => unescaped(path),
    refuse('\0', '\n'),
    slashes,
    (path) => resolved(path, { merge: true, clamp: true }),
    lower,
    names === 'files' ? (path) => path.replace(/[. ]+(?=\/|$)/g, '') : (path) => path,
  )

/** IIS with `allowDoubleEscaping`, and an application that unescapes once more. */
const iisTwice = steps(
  iis('routes'),
  (path) => unescaped(path),
  slashes,
  (path) => resolved(path, { merge: true, clamp: true }),
)

/** Unescapes all but `%2F`, then removes dot segments: ASP.NET Core, `HttpRequest.Path`. */
const kestrel = steps(
  (path) => unescaped(path, '/'),
  refuse('\0'),
  (path) => resolved(path, { clamp: true }),
  lower,
  oneEndingSlash,
)

/**
 * AllowEncodedSlashes and MergeSlashes: https://httpd.apache.org/docs/2.4/mod/core.html, and
 * `mapping=servlet`, which cuts parameters off: https://httpd.apache.org/docs/2.4/mod/mod_proxy.html
 */
const apache = (encodedSlashes: 'on' | 'nodecode', servlet = false) =>
  steps(
    servlet ? withoutParameters : (path) => path,
    (path) => unescaped(path, encodedSlashes === 'nodecode' ? '/' : ''),
    refuse('\0'),
    (path) => resolved(path, { merge: true }),
    oneEndingSlash,
  )

/** `UrlPathHelper` over the path as sent: parameters cut off, unescaped, doubled slashes merged. */
const spring = steps(
  withoutParameters,
  (path) => unescaped(path),
  (path) => path.replace(/\/+/g, '/'),
  oneEndingSlash,
)

/** `request.path_info` of a CGI program behind Apache, without the program's own name. */
const php = steps(apache('on'), (path) => path.replace(/^\/index\.php(?=\/)/, ''))

export const ORIGINS: Readonly<Record<string, Origin>> = {
  Tomcat: tomcat('reject'),
  'Tomcat that decodes %2f': tomcat('decode'),
  'Tomcat that decodes %2f and allows backslashes': tomcat('decode', true),
  'Tomcat that passes %2f through and allows backslashes': tomcat('passthrough', true),
  'Jetty 12 (canonical path)': jetty('canonical'),
  'Jetty 10 and 11 (decoded path)': jetty('decoded'),
  'Jetty 9.4': jetty9,
  nginx: nginx(true),
  'nginx with merge_slashes off': nginx(false),
  'nginx before Tomcat': steps(nginxPassesOn, tomcat('decode')),
  'nginx before Jetty': steps(nginxPassesOn, jetty('decoded')),
  'nginx before Express': steps(nginxPassesOn, express),
  Express: express,
  Hono: hono,
  'Go 1.21': go('1.21'),
  'Go 1.22': go('1.22'),
  'IIS, routes': iis('routes'),
  'IIS, files': iis('files'),
  'IIS and an application that unescapes again': iisTwice,
  'ASP.NET Core on Kestrel': kestrel,
  Apache: apache('on'),
  'Apache with AllowEncodedSlashes NoDecode': apache('nodecode'),
  'Apache with mapping=servlet before Tomcat': steps(apache('on', true), tomcat('decode')),
  'Spring MVC': spring,
  'PHP behind Apache': php,
}
