import { describe, expect, test } from 'vitest'
import { type Client, type Identity, identify } from '../../src/client/client.ts'
import { header } from '../../src/client/header.ts'
import { ConfigError } from '../../src/errors.ts'

const request = (headers: HeadersInit = {}) => new Request('https://example.com/', { headers })

const nameOf = async (identity: Identity | null | undefined) =>
  (await identify(() => identity, request(), {}))?.name

const HASH = /^[\da-f]{32}$/

describe('a text', () => {
  test('reaches the store as 128 bits of its SHA-256', async () => {
    // The example of FIPS 180-2, appendix B.1.
    expect(await nameOf('abc')).toBe('ba7816bf8f01cfea414140de5dae2223')
  })

  test('is hashed by its UTF-8, whatever its characters and its length', async () => {
    const texts = ['ana@example.com', 'ü', '中文', ' ', '\0', 'x'.repeat(100_000)]
    const names = await Promise.all(texts.map(nameOf))
    for (const name of names) expect(name).toMatch(HASH)
    expect(new Set(names).size).toBe(texts.length)
  })

  test('that differs in anything is another client', async () => {
    const names = await Promise.all(['key', 'Key', 'key ', 'key\u0301'].map(nameOf))
    expect(new Set(names).size).toBe(4)
  })

  test('from a header does not appear in its name', async () => {
    const client = header('authorization')
    const asker = await identify(client, request({ authorization: 'Bearer sk-live-1234' }), {})
    const name = asker?.name
    expect(name).toMatch(HASH)
  })
})

describe('a plain text', () => {
  const readable = [
    ...['203.0.113.7', '2001:db8::/64', 'tenant-42', '~', 'x'.repeat(128)],
    ...[
      'Unknown',
      'unknown-1',
      'BA7816BF8F01CFEA414140DE5DAE2223',
      'ba7816bf8f01cfea414140de5dae222',
    ],
  ]
  for (const plain of readable) {
    test(`stays as it is: ${plain.slice(0, 40)}`, async () => {
      expect(await nameOf({ plain })).toBe(plain)
    })
  }

  const strange: Readonly<Record<string, string>> = {
    'longer than 128 characters': 'x'.repeat(129),
    'with a space': 'tenant 42',
    'with a line end': 'tenant\r\n42',
    'that ends in a line end': 'tenant\n',
    'with a NUL': 'tenant\u00002',
    'outside ASCII': 'müller',
    'that names the count of the unknown': 'unknown',
    'that reads like a hash': 'ba7816bf8f01cfea414140de5dae2223',
  }
  for (const [kind, plain] of Object.entries(strange)) {
    test(`${kind} is hashed all the same`, async () => {
      expect(await nameOf({ plain })).toMatch(HASH)
      expect(await nameOf({ plain })).toBe(await nameOf(plain))
    })
  }
})

test('whoever chooses a plain text cannot choose the count of another', async () => {
  const victim = await nameOf('ana@example.com')
  expect(await nameOf({ plain: victim ?? '' })).not.toBe(victim)
})

describe('nobody', () => {
  const nobodies: readonly (readonly [string, Identity | null | undefined])[] = [
    ['undefined', undefined],
    ['null', null],
    ['an empty text', ''],
    ['an empty plain text', { plain: '' }],
  ]
  for (const [kind, identity] of nobodies) {
    test(`is whom ${kind} names`, async () => {
      expect(await nameOf(identity)).toBeUndefined()
    })
  }

  test('is whom a header with an empty value names', async () => {
    expect(await identify(header('x-api-key'), request({ 'x-api-key': ' ' }), {})).toBeUndefined()
  })
})

describe('a client function', () => {
  test('may be asynchronous', async () => {
    const hashed = { text: 'abc', name: await nameOf('abc') }
    expect(await identify(async () => 'abc', request(), {})).toEqual(hashed)
    const plain = await identify(async () => ({ plain: 'a' }), request(), {})
    expect(plain).toEqual({ text: 'a', name: 'a' })
    expect(await identify(async () => undefined, request(), {})).toBeUndefined()
  })

  test('that answers at once with what need not be hashed is no promise', () => {
    const plain = identify(() => ({ plain: '203.0.113.7' }), request(), {})
    expect(plain).toMatchObject({ name: '203.0.113.7' })
    for (const nobody of [undefined, null, '', { plain: '' }]) {
      expect(identify(() => nobody, request(), {})).toBeUndefined()
    }
    expect(identify(() => 'abc', request(), {})).toBeInstanceOf(Promise)
    expect(identify(() => Promise.resolve({ plain: 'a' }), request(), {})).toBeInstanceOf(Promise)
  })

  test("may answer with a promise of a library's own", async () => {
    // biome-ignore lint/suspicious/noThenProperty: that it is no Promise is the point
    const thenable = { then: (done: (identity: Identity) => void) => void done({ plain: 'a' }) }
    expect(await identify(() => thenable as never, request(), {})).toMatchObject({ name: 'a' })
  })

  test('whose answer is no text is an error that says so', async () => {
    const error = new ConfigError('client', 'a string or { plain } as the client', '5')
    expect(() => identify(() => 5 as never, request(), {})).toThrow(error)
    expect(() => identify(() => ({ plain: 5 }) as never, request(), {})).toThrow(error)
    await expect(identify(async () => 5 as never, request(), {})).rejects.toThrow(error)
  })

  test('gets the request and the environment', async () => {
    const client: Client = ({ headers }, { env }) => ({
      plain: `${headers.get('tenant')}/${env?.REGION}`,
    })
    const asker = await identify(client, request({ tenant: 'a' }), { env: { REGION: 'eu' } })
    expect(asker?.name).toBe('a/eu')
  })

  test('that throws is not taken for one that knows nobody', async () => {
    const broken: Client = () => {
      throw new RangeError('no such tenant')
    }
    expect(() => identify(broken, request(), {})).toThrow('no such tenant')
    const rejecting: Client = () => Promise.reject(new RangeError('no such tenant'))
    await expect(identify(rejecting, request(), {})).rejects.toThrow('no such tenant')
  })
})
