import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Identity } from '../../src/client/client.ts'
import { type IpOptions, ip } from '../../src/client/ip.ts'
import type { Platform } from '../../src/environment.ts'
import { ConfigError } from '../../src/errors.ts'

type Env = Readonly<Record<string, unknown>>

/** What the console is told while `body` runs. */
async function warningsDuring(body: () => Promise<unknown>): Promise<unknown[]> {
  const { warn } = console
  const told: unknown[] = []
  console.warn = (...words: unknown[]) => told.push(...words)
  try {
    await body()
  } finally {
    console.warn = warn
  }
  return told
}

/** Whom `ip(options)` sees, as plain text. */
async function seen(options: IpOptions | undefined, headers: HeadersInit, env?: Env) {
  const client = ip(options)
  let identity: Identity | null | undefined
  await warningsDuring(async () => {
    identity = await client(new Request('https://example.com/', { headers }), { env })
  })
  return typeof identity === 'object' ? identity?.plain : identity
}

/** The header that each platform sets, and every other that people believe. */
const HEADERS = {
  'cf-connecting-ip': '192.0.2.1',
  'cf-connecting-ipv6': '2001:db8:1::1',
  'cf-pseudo-ipv4': '240.0.0.1',
  'true-client-ip': '192.0.2.2',
  'x-vercel-forwarded-for': '192.0.2.3',
  'x-vercel-proxied-for': '192.0.2.4',
  'x-real-ip': '192.0.2.5',
  'x-forwarded-for': '192.0.2.6',
  'x-client-ip': '192.0.2.7',
  'x-cluster-client-ip': '192.0.2.8',
  'fly-client-ip': '192.0.2.9',
  'fastly-client-ip': '192.0.2.10',
  'x-nf-client-connection-ip': '192.0.2.11',
  forwarded: 'for=192.0.2.12',
}

const node = (remoteAddress?: string) => ({ incoming: { socket: { remoteAddress } } })

const without = (...names: readonly string[]) =>
  Object.fromEntries(Object.entries(HEADERS).filter(([name]) => !names.includes(name)))

describe('each platform believes its own header alone', () => {
  const own: Readonly<Record<Platform, string | undefined>> = {
    cloudflare: HEADERS['cf-connecting-ip'],
    vercel: HEADERS['x-vercel-forwarded-for'],
    server: undefined,
  }
  for (const platform of ['cloudflare', 'vercel', 'server'] as const) {
    test(`${platform}, among the headers of all others`, async () => {
      expect(await seen({ platform }, HEADERS)).toBe(own[platform])
    })
  }

  test('on Cloudflare a request without CF-Connecting-IP is unknown, whatever else it says', async () => {
    expect(await seen({ platform: 'cloudflare' }, without('cf-connecting-ip'))).toBeUndefined()
    expect(await seen({ platform: 'cloudflare' }, HEADERS, node('198.51.100.1'))).toBe('192.0.2.1')
  })

  test('on Vercel nothing stands in for X-Vercel-Forwarded-For, X-Real-IP neither', async () => {
    expect(await seen({ platform: 'vercel' }, without('x-vercel-forwarded-for'))).toBeUndefined()
  })

  test('on a server the address is that of the connection, and no header counts', async () => {
    expect(await seen({ platform: 'server' }, HEADERS, node('198.51.100.1'))).toBe('198.51.100.1')
  })

  test('a header with two addresses is believed for neither', async () => {
    const both = '192.0.2.1, 192.0.2.2'
    const headers = { 'cf-connecting-ip': both, 'x-vercel-forwarded-for': both }
    expect(await seen({ platform: 'cloudflare' }, headers)).toBeUndefined()
    expect(await seen({ platform: 'vercel' }, headers)).toBeUndefined()
  })

  for (const text of ['unknown', 'localhost', '1.2.3', '::1::', ' ', '<script>']) {
    test(`a header that holds ${JSON.stringify(text)} names nobody`, async () => {
      expect(await seen({ platform: 'cloudflare' }, { 'cf-connecting-ip': text })).toBeUndefined()
    })
  }
})

/** Told in a way that is good enough for a test, and not for the library. */
const isWorkerd = globalThis.navigator?.userAgent === 'Cloudflare-Workers'

const mark = Symbol.for('@vercel/request-context')

/** As Vercel's runtimes put it in place for the request that they handle. */
const onVercel = { get: () => ({ headers: {}, url: '/', waitUntil() {} }) }

/** Runs `body` while these are globals. */
async function withGlobals<Result>(
  globals: readonly (readonly [name: string | symbol, value: unknown])[],
  body: () => Promise<Result>,
): Promise<Result> {
  const before = globals.map(([name]) => Object.getOwnPropertyDescriptor(globalThis, name))
  for (const [name, value] of globals) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
  }
  try {
    return await body()
  } finally {
    for (const [index, [name]] of globals.entries()) {
      const own = before[index]
      if (own) Object.defineProperty(globalThis, name, own)
      else Reflect.deleteProperty(globalThis, name)
    }
  }
}

describe('the platform is found out without asking the request', () => {
  /** The address that counts on this runtime unless it is Vercel. */
  const here = isWorkerd ? HEADERS['cf-connecting-ip'] : '198.51.100.1'
  const seenHere = () => seen({}, HEADERS, node('198.51.100.1'))

  test('in this runtime', async () => {
    expect(await seenHere()).toBe(here)
  })

  test("Vercel, by the request context that its runtime puts in place, unless it's a Worker", async () => {
    const address = isWorkerd ? here : HEADERS['x-vercel-forwarded-for']
    expect(await withGlobals([[mark, onVercel]], seenHere)).toBe(address)
  })

  test('not Vercel by variables, which `vercel env pull` writes into a file', async () => {
    const variables = {
      ...{ VERCEL: '1', VERCEL_ENV: 'production', VERCEL_URL: 'app.vercel.app' },
      ...{ VERCEL_REGION: 'fra1', NOW_REGION: 'fra1', AWS_LAMBDA_FUNCTION_NAME: 'app' },
    }
    const process = { env: { ...globalThis.process?.env, ...variables } }
    expect(await withGlobals([['process', process]], seenHere)).toBe(here)
  })

  const emulations: Readonly<Record<string, unknown>> = {
    'as OpenNext does': { get: () => ({ waitUntil() {} }) },
    'outside of a request': { get: () => undefined },
    'without a reader': {},
    'as nothing': undefined,
  }
  for (const [kind, emulation] of Object.entries(emulations)) {
    test(`not Vercel by a request context put in place ${kind}`, async () => {
      expect(await withGlobals([[mark, emulation]], seenHere)).toBe(here)
    })
  }

  test('not Cloudflare by globals that a library set', async () => {
    const asIfWorkers: (readonly [string, unknown])[] = [
      ['navigator', { userAgent: 'Cloudflare-Workers' }],
      ['caches', { default: {} }],
    ]
    expect(await withGlobals(asIfWorkers, seenHere)).toBe(here)
    if (isWorkerd) return
    class WebSocketPair {}
    const quoting = () => 'function WebSocketPair() { [native code] }'
    const bound = WebSocketPair.bind(null)
    const proxies = [new Proxy(WebSocketPair, {}), new Proxy(Array, {}), new Proxy(bound, {})]
    for (const value of [WebSocketPair, quoting, bound, ...proxies, Array, () => {}, {}, null]) {
      expect(await withGlobals([...asIfWorkers, ['WebSocketPair', value]], seenHere)).toBe(here)
    }
  })

  test('Cloudflare where `navigator` is missing or replaced', async () => {
    if (!isWorkerd) return
    for (const navigator of [undefined, { userAgent: 'node' }]) {
      expect(await withGlobals([['navigator', navigator]], seenHere)).toBe(here)
    }
  })
})

describe('the platform is found out once', () => {
  const request = new Request('https://example.com/', { headers: HEADERS })
  const own = { env: node('198.51.100.1') }

  test('at the first request whose address it tells', async () => {
    const client = ip()
    const before = await client(request, own)
    const after = await withGlobals([[mark, onVercel]], async () => client(request, own))
    expect(after).toEqual(before)
  })

  test('and not before it, when nothing may run yet', async () => {
    const client = await withGlobals([[mark, onVercel]], async () => ip())
    const seen = await client(request, own)
    expect(seen).not.toEqual({ plain: HEADERS['x-vercel-forwarded-for'] })
  })

  test('but anew after a request without an address, so that no client stays unknown', async () => {
    const client = ip()
    const alone = new Request('https://example.com/')
    await warningsDuring(async () => expect(await client(alone, {})).toBeUndefined())
    const seen = await withGlobals([[mark, onVercel]], async () => client(request, {}))
    const name = isWorkerd ? 'cf-connecting-ip' : 'x-vercel-forwarded-for'
    expect(seen).toEqual({ plain: HEADERS[name] })
  })
})

describe('under Pseudo IPv4 of Cloudflare', () => {
  const options = { platform: 'cloudflare' } as const
  const pair = (address: string, ipv6: string) =>
    seen(options, { 'cf-connecting-ip': address, 'cf-connecting-ipv6': ipv6 })

  for (const address of ['240.0.0.1', '249.9.9.9', '250.1.2.3', '255.255.255.255']) {
    test(`${address} stands for the real IPv6 address`, async () => {
      expect(await pair(address, '2001:db8:1:2::3')).toBe('2001:db8:1:2::/64')
    })
  }

  for (const address of ['239.255.255.255', '203.0.113.7', '24.5.6.7', '25.0.0.1']) {
    test(`${address} is real, so that CF-Connecting-IPv6 is forged and not believed`, async () => {
      expect(await pair(address, '2001:db8:1:2::3')).toBe(address)
    })
  }

  test('a real IPv6 address is believed over CF-Connecting-IPv6', async () => {
    expect(await pair('2400:cb00::1', '2001:db8:1:2::3')).toBe('2400:cb00::/64')
  })

  test('the address of class E counts where the real one is missing', async () => {
    expect(await seen(options, { 'cf-connecting-ip': '240.0.0.1' })).toBe('240.0.0.1')
    expect(await pair('240.0.0.1', '')).toBe('240.0.0.1')
  })
})

describe('the connection', () => {
  /** As Bun.serve hands its server over: a method that needs its `this`. */
  class BunServer {
    readonly address: string | undefined
    constructor(address?: string) {
      this.address = address
    }
    requestIP(_: Request) {
      return this.address === undefined ? null : { address: this.address, port: 1, family: 'IPv4' }
    }
  }
  const servers: readonly (readonly [string, string | undefined, unknown])[] = [
    ['Node', '203.0.113.7', node('203.0.113.7')],
    ['Node on a dual-stack socket', '203.0.113.7', node('::ffff:203.0.113.7')],
    ['Node over IPv6', '2001:db8::/64', node('2001:db8::1')],
    ['Node whose connection is gone', undefined, node()],
    ['Node without a socket', undefined, { incoming: {} }],
    ['Bun', '203.0.113.7', new BunServer('203.0.113.7')],
    ['Bun whose connection is gone', undefined, new BunServer()],
    ['Deno', '203.0.113.7', { remoteAddr: { hostname: '203.0.113.7', port: 1 } }],
    ['Deno on a Unix socket', undefined, { remoteAddr: { path: '/run/app.sock' } }],
    ['a server that the caller wrapped', '203.0.113.7', { server: node('203.0.113.7') }],
    ['a host that hands over nothing', undefined, undefined],
    ['a host that hands over variables', undefined, { REMOTE_ADDR: '203.0.113.7' }],
  ]
  for (const [host, address, env] of servers) {
    test(`of ${host} is ${address ?? 'unknown'}`, async () => {
      expect(await seen({ platform: 'server' }, {}, env as Env)).toBe(address)
    })
  }
})

describe('behind proxies of your own', () => {
  /** What the client wrote, then what each proxy appended. */
  const chain = { 'x-forwarded-for': '6.6.6.6, 203.0.113.7, 198.51.100.1, 198.51.100.2' }

  test('ignores X-Forwarded-For unless a hop is trusted', async () => {
    for (const options of [{}, { trustedHops: 0 }]) {
      expect(await seen({ ...options, platform: 'server' }, chain)).toBeUndefined()
    }
  })

  const hops: readonly (readonly [number, string])[] = [
    [1, '198.51.100.2'],
    [2, '198.51.100.1'],
    [3, '203.0.113.7'],
  ]
  for (const [trustedHops, address] of hops) {
    test(`with ${trustedHops} of them the client is entry ${trustedHops} from the right`, async () => {
      expect(await seen({ trustedHops }, chain)).toBe(address)
    })
  }

  test('a request that went round a proxy, with too few entries, is unknown', async () => {
    for (const entries of ['', ' ', '203.0.113.7', '203.0.113.7, 198.51.100.1']) {
      expect(await seen({ trustedHops: 3 }, { 'x-forwarded-for': entries })).toBeUndefined()
    }
    expect(await seen({ trustedHops: 1 }, {}, node('198.51.100.1'))).toBeUndefined()
  })

  test('however much a client writes, the entry of the proxy stays', async () => {
    for (const written of ['', ',', ',,,', ' , ', '6.6.6.6,', 'x'.repeat(5000), '"6.6.6.6, ']) {
      const headers = { 'x-forwarded-for': `${written}, 203.0.113.7` }
      expect(await seen({ trustedHops: 1 }, headers)).toBe('203.0.113.7')
    }
  })

  test('an entry is counted from the right of the whole list, whatever the others are', async () => {
    const entry = fc.constantFrom('', ' ', 'x', ' 203.0.113.1', '203.0.113.2 ', '203.0.113.3')
    const entries = fc.array(entry, { minLength: 1, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(entries, fc.integer({ min: 1, max: 8 }), async (entries, trustedHops) => {
        const headers = { 'x-forwarded-for': entries.join(',') }
        const expected = /[\d.]+/.exec(entries.at(-trustedHops) ?? '')?.[0]
        expect(await seen({ trustedHops }, headers)).toBe(expected)
      }),
    )
  })

  test('an entry that is empty or no address is nobody, and no other takes its place', async () => {
    for (const entry of ['', ' ', 'unknown', '_hidden', 'for=203.0.113.7']) {
      const headers = { 'x-forwarded-for': `6.6.6.6, ${entry}, 198.51.100.1` }
      expect(await seen({ trustedHops: 2 }, headers)).toBeUndefined()
    }
  })

  test('spaces, tabs and ports do not matter', async () => {
    const headers = { 'x-forwarded-for': '6.6.6.6 ,\t 203.0.113.7:4711  ,[2001:db8::1]:80' }
    expect(await seen({ trustedHops: 2 }, headers)).toBe('203.0.113.7')
    expect(await seen({ trustedHops: 1 }, headers)).toBe('2001:db8::/64')
  })

  test('several lines are one list', async () => {
    const lines: [string, string][] = [
      ['x-forwarded-for', '6.6.6.6'],
      ['x-forwarded-for', '203.0.113.7, 198.51.100.1'],
    ]
    expect(await seen({ trustedHops: 2 }, lines)).toBe('203.0.113.7')
    expect(await seen({ trustedHops: 3 }, lines)).toBe('6.6.6.6')
  })

  test('no header of a platform is believed beside it', async () => {
    expect(await seen({ trustedHops: 1 }, HEADERS)).toBe(HEADERS['x-forwarded-for'])
    expect(await seen({ trustedHops: 1 }, without('x-forwarded-for'))).toBeUndefined()
  })
})

describe('an operator whose clients share one limit', () => {
  /** What is logged while each request is asked a hundred times. */
  async function logged(
    options: IpOptions,
    ...requests: readonly (readonly [HeadersInit, Env?])[]
  ) {
    const lines = await warningsDuring(async () => {
      const client = ip(options)
      for (let asked = 0; asked < 100; asked++) {
        for (const [headers, env] of requests) {
          await client(new Request('https://example.com/', { headers }), { env })
        }
      }
    })
    // Logs are kept by others, and for long.
    for (const line of lines) expect(line).not.toMatch(/\d\.\d|::/)
    return lines
  }

  const proxied = { 'x-forwarded-for': '203.0.113.7' }
  const shared = 'so all clients share one limit'
  const unless = `${shared} (unless the policy sets \`unknown\`). `
  const advice =
    'Behind your own proxies set ip({ trustedHops: 1 }) or ip({ header }), ' +
    "on Vercel ip({ platform: 'vercel' }), elsewhere check(request, { ip })"
  const noAddress = `tidegate: ip() found no address of the client, ${unless}${advice}`
  const ofProxy = `tidegate: ip() found the private address of a proxy, ${shared}. `

  test('is told so once, and what to set, where the host tells no address', async () => {
    for (const headers of [{}, proxied, HEADERS]) {
      expect(await logged({ platform: 'server' }, [headers])).toEqual([noAddress])
    }
    expect(await logged({ platform: 'vercel' }, [{}])).toEqual([noAddress])
    expect(await logged({ platform: 'cloudflare' }, [{}])).toEqual([noAddress])
  })

  test('is told so where the declared header holds none, or not one', async () => {
    const line =
      `tidegate: ip() found no address in the header x-client, ${unless}` +
      'Name a header that your proxy sets on every request, to one address'
    for (const value of ['', 'unknown', '203.0.113.7, 203.0.113.8']) {
      expect(await logged({ header: 'x-client' }, [{ 'x-client': value }])).toEqual([line])
    }
    expect(await logged({ header: 'x-client' }, [{}])).toEqual([line])
  })

  test('is told so where proxies are fewer than trustedHops', async () => {
    const line =
      `tidegate: ip() found no address at entry 2 from the right of X-Forwarded-For, ${unless}` +
      'Set trustedHops to the number of proxies that append to that header'
    expect(await logged({ trustedHops: 2 }, [proxied])).toEqual([line])
    expect(await logged({ trustedHops: 2 }, [{}])).toEqual([line])
  })

  test('is told so where proxies are more than trustedHops', async () => {
    const line = `${ofProxy}Set trustedHops to the number of proxies that append to that header`
    const twice = { 'x-forwarded-for': '203.0.113.7, 10.1.2.3' }
    expect(await logged({ trustedHops: 1 }, [twice])).toEqual([line])
    expect(await logged({ trustedHops: 2 }, [twice])).toEqual([])
    expect(await logged({ trustedHops: 1 }, [{ 'x-forwarded-for': '10.1.2.3' }])).toEqual([])
  })

  const proxies = ['127.0.0.1', '::1', '::ffff:172.17.0.1', '10.2.3.4', '100.64.0.3', 'fdaa:0:1::3']
  for (const address of proxies) {
    test(`is told so where the connection comes from a proxy at ${address}`, async () => {
      const options = { platform: 'server' } as const
      const env = node(address)
      expect(await logged(options, [proxied, env])).toEqual([ofProxy + advice])
      const forwarded = { forwarded: 'for=203.0.113.7' }
      expect(await logged(options, [forwarded, env])).toEqual([ofProxy + advice])
      // The address still counts: without a word of yours the header is any visitor's.
      expect(await seen(options, {}, env)).toBeDefined()
      expect(await seen(options, proxied, env)).toBe(await seen(options, {}, env))
    })
  }

  const single = [
    ...['x-real-ip', 'cf-connecting-ip', 'true-client-ip', 'x-client-ip', 'fly-client-ip'],
    ...['x-cluster-client-ip', 'x-azure-clientip', 'cloudfront-viewer-address'],
    ...['x-envoy-external-address', 'x-original-forwarded-for', 'x-forwarded'],
  ]
  for (const name of single) {
    test(`is told so where the proxy at a private address sends ${name} alone`, async () => {
      const options = { platform: 'server' } as const
      const told = { [name]: '203.0.113.7' }
      expect(await logged(options, [told, node('10.1.2.3')])).toEqual([ofProxy + advice])
    })
  }

  test('is told so where the declared header holds the address of a proxy before yours', async () => {
    const line = `${ofProxy}Name a header that your proxy sets on every request, to one address`
    for (const [name, value] of [
      ['x-forwarded-for', '203.0.113.7'],
      ['x-forwarded-for', '203.0.113.7, 10.0.0.1'],
      // A visitor of the same private network.
      ['x-forwarded-for', '10.7.7.7, 10.0.0.1'],
      ['forwarded', 'for=203.0.113.7;proto=https'],
      ['true-client-ip', '2001:db8::1'],
    ] as const) {
      const headers = { 'x-real-ip': '10.0.0.1', [name]: value }
      expect(await logged({ header: 'x-real-ip' }, [headers])).toEqual([line])
    }
  })

  test('is told nothing where the visitor of a private network is the one that proxies name', async () => {
    for (const [address, name, value] of [
      ['10.7.7.7', 'x-forwarded-for', '10.7.7.7'],
      ['10.7.7.7', 'x-forwarded-for', '10.7.7.7:4711, 10.0.0.1'],
      ['10.7.7.7', 'forwarded', 'for=10.7.7.7'],
      ['10.7.7.7', 'Forwarded', 'For="10.7.7.7:4711";proto=https, for=10.0.0.1'],
      ['10.7.7.7', 'true-client-ip', '10.7.7.7'],
      ['fdaa::7', 'forwarded', 'for="[fdaa::7]:4711"'],
      ['10.7.7.7', 'x-forwarded-proto', 'https'],
    ] as const) {
      const headers = { 'x-real-ip': address, [name]: value }
      expect(await logged({ header: 'x-real-ip' }, [headers])).toEqual([])
      const sent = { [name]: value }
      expect(await logged({ platform: 'server' }, [sent, node(address)])).toEqual([])
    }
  })

  test('is told no second thing, whatever else is found', async () => {
    const options = { platform: 'server' } as const
    const lines = await logged(options, [proxied, node('10.1.2.3')], [{}])
    expect(lines).toEqual([ofProxy + advice])
  })

  test('is told nothing where clients are told apart', async () => {
    const options = { platform: 'server' } as const
    expect(await logged(options, [proxied, node('203.0.113.9')])).toEqual([])
    expect(await logged(options, [{}, node('10.1.2.3')])).toEqual([])
    expect(await logged({ trustedHops: 1 }, [proxied, node('10.1.2.3')])).toEqual([])
    const onCloudflare = { ...proxied, 'cf-connecting-ip': '203.0.113.9' }
    expect(await logged({ platform: 'cloudflare' }, [onCloudflare])).toEqual([])
  })
})

describe('a header named by the options', () => {
  test('is believed, and no other', async () => {
    expect(await seen({ header: 'Fly-Client-IP' }, HEADERS)).toBe(HEADERS['fly-client-ip'])
    expect(await seen({ header: 'x-none' }, HEADERS, node('198.51.100.1'))).toBeUndefined()
  })

  test('holds one address, however often', async () => {
    const options = { header: 'fly-client-ip' }
    const two = { 'fly-client-ip': '203.0.113.7, 6.6.6.6' }
    expect(await seen(options, two)).toBeUndefined()
    const lines: [string, string][] = [
      ['fly-client-ip', '203.0.113.7'],
      ['fly-client-ip', '203.0.113.7'],
    ]
    expect(await seen(options, lines)).toBe('203.0.113.7')
  })

  const withPorts: Readonly<Record<string, string>> = {
    '203.0.113.7:46532': '203.0.113.7',
    '[2001:db8:0:1::1]:46532': '2001:db8:0:1::/64',
    // As CloudFront writes it. With a port of up to four digits it is an address by itself.
    '2001:db8:0:1::1:46532': '2001:db8:0:1::/64',
    '2001:db8:0:1:2:3:4:5:443': '2001:db8:0:1::/64',
    '1::4:5:6:7:8:443': '1:0:0:4::/64',
  }
  for (const [value, address] of Object.entries(withPorts)) {
    test(`is read with a port, as in CloudFront-Viewer-Address: ${value}`, async () => {
      for (const header of ['CloudFront-Viewer-Address', 'cloudfront-viewer-address']) {
        expect(await seen({ header }, { [header]: value })).toBe(address)
      }
    })
  }
})

describe('ipv6Prefix', () => {
  const headers = { address: '2001:db8:1234:5678:9abc:def0:1234:5678' }
  const networks: readonly (readonly [number | undefined, string])[] = [
    [undefined, '2001:db8:1234:5678::/64'],
    [48, '2001:db8:1234::/48'],
    [56, '2001:db8:1234:5600::/56'],
    [1, '::/1'],
    [128, '2001:db8:1234:5678:9abc:def0:1234:5678'],
  ]
  for (const [ipv6Prefix, network] of networks) {
    test(`${ipv6Prefix ?? 'not given'} counts ${network}`, async () => {
      const options = ipv6Prefix === undefined ? {} : { ipv6Prefix }
      expect(await seen({ header: 'address', ...options }, headers)).toBe(network)
    })
  }

  test('leaves IPv4 whole', async () => {
    const options = { header: 'address', ipv6Prefix: 1 }
    expect(await seen(options, { address: '203.0.113.7' })).toBe('203.0.113.7')
  })
})

describe('bad options are errors at construction that name the option', () => {
  const hops = 'a whole number from 0 to 999999999999999'
  const bits = 'a whole number from 1 to 128'
  const platforms = 'one of cloudflare, vercel, server'
  const name = 'the name of a header, such as "x-api-key"'
  const single = 'a header that holds one address'
  const listed = (got: string) =>
    new ConfigError('header', single, `${got} (a list: set trustedHops instead)`)
  const one = 'only one source of the address'
  const bad: readonly (readonly [object, ConfigError])[] = [
    [{ trustedHops: -1 }, new ConfigError('trustedHops', hops, '-1')],
    [{ trustedHops: 1.5 }, new ConfigError('trustedHops', hops, '1.5')],
    [{ trustedHops: Number.NaN }, new ConfigError('trustedHops', hops, 'NaN')],
    [{ trustedHops: Infinity }, new ConfigError('trustedHops', hops, 'Infinity')],
    [{ trustedHops: '1' }, new ConfigError('trustedHops', hops, '"1"')],
    [{ trustedHops: true }, new ConfigError('trustedHops', hops, 'true')],
    [{ trustedHops: null }, new ConfigError('trustedHops', hops, 'null')],
    [{ ipv6Prefix: 0 }, new ConfigError('ipv6Prefix', bits, '0')],
    [{ ipv6Prefix: 129 }, new ConfigError('ipv6Prefix', bits, '129')],
    [{ ipv6Prefix: 63.5 }, new ConfigError('ipv6Prefix', bits, '63.5')],
    [{ ipv6Prefix: '/64' }, new ConfigError('ipv6Prefix', bits, '"/64"')],
    [{ platform: 'netlify' }, new ConfigError('platform', platforms, '"netlify"')],
    [{ platform: '' }, new ConfigError('platform', platforms, '""')],
    [{ platform: 'toString' }, new ConfigError('platform', platforms, '"toString"')],
    [{ platform: '__proto__' }, new ConfigError('platform', platforms, '"__proto__"')],
    [{ header: '' }, new ConfigError('header', name, '""')],
    [{ header: 'x forwarded for' }, new ConfigError('header', name, '"x forwarded for"')],
    [{ header: null }, new ConfigError('header', name, 'null')],
    [{ header: 'x-forwarded-for' }, listed('"x-forwarded-for"')],
    [{ header: 'X-Forwarded-For' }, listed('"X-Forwarded-For"')],
    [{ header: 'Forwarded' }, listed('"Forwarded"')],
    [{ header: 'forwarded-for' }, listed('"forwarded-for"')],
    [{ header: 'x_forwarded_for' }, listed('"x_forwarded_for"')],
    [{ header: 'X-HTTP-Forwarded-For' }, listed('"X-HTTP-Forwarded-For"')],
    [{ header: 'x-forwarded-for-original' }, listed('"x-forwarded-for-original"')],
    [{ header: 'HTTP_X_FORWARDED_FOR' }, listed('a string of 20 characters')],
    [{ header: 'x_forwarded' }, listed('"x_forwarded"')],
    [{ header: 'x-forwarded' }, listed('"x-forwarded"')],
    [{ header: 'x-original-forwarded-for' }, listed('"x-original-forwarded-for"')],
    [{ header: 'via' }, listed('"via"')],
    [{ header: 'x-ip', trustedHops: 1 }, new ConfigError('ip', one, 'trustedHops and header')],
    [{ header: 'x-ip', platform: 'vercel' }, new ConfigError('ip', one, 'header and platform')],
    [
      { platform: 'server', trustedHops: 2 },
      new ConfigError('ip', one, 'trustedHops and platform'),
    ],
  ]
  for (const [options, error] of bad) {
    test(error.message, () => {
      expect(() => ip(options as IpOptions)).toThrow(error)
    })
  }

  test('also an option that is misspelt, which would leave headers believed or not by mistake', () => {
    expect(() => ip({ trustedHop: 1 } as IpOptions)).toThrow(
      /^ip\.trustedHop: expected .+, got an unknown option/,
    )
  })

  for (const options of [null, 'x-real-ip', 1, ['cloudflare']]) {
    test(`also options that are ${JSON.stringify(options)}`, () => {
      expect(() => ip(options as IpOptions)).toThrow(ConfigError)
    })
  }
})
