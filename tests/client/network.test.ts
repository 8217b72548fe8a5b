import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { describe, expect, test } from 'vitest'
import { isPrivateNetwork, parseNetwork } from '../../src/client/network.ts'

const { IPv4, IPv6 } = ipaddr

describe('spellings of one client are one network', () => {
  const spellings: Readonly<Record<string, readonly string[]>> = {
    '203.0.113.7': [
      '203.0.113.7',
      ' 203.0.113.7\t',
      '203.0.113.7:443',
      // As RFC 7239 quotes it, and as libraries that put brackets around any host write it.
      '"203.0.113.7"',
      '"203.0.113.7:443"',
      '[203.0.113.7]',
      '[203.0.113.7]:443',
      '"[203.0.113.7]:443"',
      '"203.0.113.7", "203.0.113.7"',
      // IPv4 in IPv6, told by the bits and not by the notation
      '::ffff:203.0.113.7',
      '::FFFF:203.0.113.7',
      '::ffff:cb00:7107',
      '0:0:0:0:0:ffff:203.0.113.7',
      '0000:0000:0000:0000:0000:ffff:cb00:7107',
      '[::ffff:203.0.113.7]:443',
      '::ffff:203.0.113.7%eth0',
      '::ffff:203.0.113.7:443',
      '203.0.113.7, 203.0.113.7',
      '203.0.113.7:80,203.0.113.7:80 ,\t203.0.113.7:80',
      '64:ff9b::203.0.113.7',
      '64:ff9b::cb00:7107',
      '0064:FF9B:0:0:0:0:CB00:7107',
    ],
    '2001:db8::/64': [
      '2001:db8::1',
      '2001:DB8::1',
      '2001:0db8:0000:0000:0000:0000:0000:0001',
      '2001:db8:0:0:ffff:ffff:ffff:ffff',
      '2001:db8::1%eth0',
      '2001:db8::1%en0.100',
      ' 2001:db8::1 ',
      '[2001:db8::1]',
      '"[2001:db8::1]:8080"',
      '"2001:db8::1"',
      '[2001:db8::1]:8080',
      '[2001:db8::1%25eth0]:8080',
      // With a port and no brackets, where the text is no address with it.
      '2001:db8::1:46532',
      '2001:db8:0:0:1:2:3:4:80',
      '2001:db8::1%eth0:80',
      '2001:db8::1, 2001:db8::1',
      // These end in dots, yet their bits are no IPv4.
      '2001:db8::1.2.3.4',
      '2001:db8::ffff:1.2.3.4',
    ],
    // 64:ff9b::/96 and ::ffff:0:0/96 end at their last bit.
    '64:ff9b::/64': ['64:ff9b::1:0:0', '64:ff9b:0:0:ffff:ffff:203.0.113.7'],
    '64:ff9b:1::/64': ['64:ff9b:1::203.0.113.7'],
    '::/64': ['::', '::1', '::1.2.3.4', '::fffe:1.2.3.4', '::1:ffff:1.2.3.4'],
    'fe80::/64': ['fe80::1%eth0', 'fe80::2%eth1', 'FE80:0:0:0:1:2:3:4'],
  }
  for (const [network, texts] of Object.entries(spellings)) {
    for (const text of texts) {
      test(`${JSON.stringify(text)} is ${network}`, () => {
        expect(parseNetwork(text, 64)).toBe(network)
      })
    }
  }
})

describe('a text that is no address is no client', () => {
  const texts = [
    ...['', ' ', 'unknown', '_hidden', 'localhost', 'for=1.2.3.4'],
    ...['"', '""', '"1.2.3.4', '1.2.3.4"', '""1.2.3.4""', '"1.2.3.4, 1.2.3.4"', '["1.2.3.4"]'],
    ...['1.2.3.4, 5.6.7.8', '1.2.3.4 5.6.7.8', '2001:db8::1,2001:db8::2'],
    ...['1.2.3', '1.2.3.4.5', '1.2.3.', '.1.2.3', '1..2.3', '1.2.3.-4', '1.2.3.4/24'],
    ...['256.1.1.1', '1.1.1.999', '1.2.3.4294967296'],
    // Octal, hexadecimal and short forms: programs disagree on what they mean.
    ...['01.2.3.4', '1.2.3.04', '00.0.0.0', '0x7f.0.0.1', '2130706433', '127.1', '127.0.1'],
    ...['1.2.3.4:', '1.2.3.4:x', '1.2.3.4:123456', '1.2.3.4:80:80', '1.2.3.4%eth0'],
    ...['[1.2.3.4', '1.2.3.4]', '[1.2.3.4]8', '[1.2.3].4', '[[1.2.3.4]]', '[1.2.3.4]:80:80'],
    ...['[1.2.3.4]:', '\uff11.2.3.4', '1.2.3.4\0', '1.2.3.4\r\nx'],
    ...[':', ':::', '::1::', '1::2::3', ':1:2:3:4:5:6:7', '1:2:3:4:5:6:7:', '::1:', ':1::'],
    ...['1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9:9', '1:2:3:4:5:6:7:8::', '1:2:3:4::5:6:7:8:f'],
    ...['12345::', '::00001', 'g::', '::-1', '::0x1', '2001:db8::1/64'],
    ...['::ffff:1.2.3', '::ffff:1.2.3.4.5', '::ffff:256.1.1.1', '::ffff:01.2.3.4'],
    ...['1.2.3.4::', '::1.2.3.4:5:5', '1:2:3:4:5:6:7:1.2.3.4', '1:2:3:4:5:6::1.2.3.4'],
    ...['ffff1.2.3.4', '::ffff1.2.3.4', '::1:123456', '[::1]:80:80'],
    ...['1.2.3.4, ', ', 1.2.3.4', '1.2.3.4, 1.2.3.4, 1.2.3.5', ',', ' , '],
    ...['[]', '[', '[::1', '::1]', '[::1]:', '[::1]x', '[[::1]]', '[::1]:123456', 'fe80::1%'],
  ]
  for (const text of texts) {
    test(JSON.stringify(text), () => {
      expect(parseNetwork(text, 64)).toBeUndefined()
    })
  }
})

describe('the text of an IPv6 address is that of RFC 5952', () => {
  const canonical: Readonly<Record<string, string>> = {
    '2001:0DB8::0001': '2001:db8::1',
    '2001:db8:0:1:1:1:1:1': '2001:db8:0:1:1:1:1:1',
    '2001:0:0:1:0:0:0:1': '2001:0:0:1::1',
    '2001:db8:0:0:1:0:0:1': '2001:db8::1:0:0:1',
    '0:0:1:0:0:1:0:0': '::1:0:0:1:0:0',
    '1:0:0:0:0:0:0:0': '1::',
    '0:0:0:0:0:0:0:0': '::',
    '0:1:1:1:1:1:1:0': '0:1:1:1:1:1:1:0',
    '::2:3:4:5:6:7:8': '0:2:3:4:5:6:7:8',
  }
  for (const [text, expected] of Object.entries(canonical)) {
    test(`${text} is ${expected}`, () => {
      expect(parseNetwork(text, 128)).toBe(expected)
    })
  }
})

/** IPv6 addresses of these groups, in all the notations that people and programs use. */
const written = (groups: fc.Arbitrary<readonly number[]>) =>
  fc
    .record({
      groups,
      padded: fc.boolean(),
      upperCase: fc.boolean(),
      dotted: fc.boolean(),
      /** What `::` may stand for, if those groups are zero. */
      compressed: fc.option(fc.record({ from: fc.nat(7), count: fc.integer({ min: 1, max: 8 }) })),
      zone: fc.constantFrom('', '%eth0', '%1'),
      around: fc.constantFrom(['', ''], ['[', ']'], ['[', ']:443'], [' ', ' ']),
    })
    .map(({ groups, padded, upperCase, dotted, compressed, zone, around: [before, after] }) => {
      const hex = groups.map((group) => group.toString(16).padStart(padded ? 4 : 1, '0'))
      const octets = groups.slice(6).flatMap((group) => [group >> 8, group & 255])
      const parts = dotted ? [...hex.slice(0, 6), octets.join('.')] : hex
      const { from = 0, count = 0 } = compressed ?? {}
      const end = Math.min(from + count, dotted ? 6 : 8)
      const isZero = from < end && groups.slice(from, end).every((group) => group === 0)
      const address = isZero
        ? `${parts.slice(0, from).join(':')}::${parts.slice(end).join(':')}`
        : parts.join(':')
      const text = `${before}${upperCase ? address.toUpperCase() : address}${zone}${after}`
      return { groups, text }
    })

const group = fc.oneof(fc.constant(0), fc.constant(0xffff), fc.nat(0xffff))
const groups = fc.array(group, { minLength: 8, maxLength: 8 })

describe('as ipaddr.js reads it', () => {
  /** What ipaddr.js makes of eight groups. */
  function networkOf(groups: readonly number[], prefix: number): string {
    const address = new IPv6([...groups])
    const isTranslated = address.match(IPv6.parse('64:ff9b::'), 96)
    if (address.isIPv4MappedAddress() || isTranslated) {
      return new IPv4(address.toByteArray().slice(12)).toString()
    }
    const network = IPv6.networkAddressFromCIDR(`${address.toNormalizedString()}/${prefix}`)
    return prefix === 128 ? network.toRFC5952String() : `${network.toRFC5952String()}/${prefix}`
  }

  test('an IPv6 address in any notation has the network of its bits', () => {
    fc.assert(
      fc.property(written(groups), fc.integer({ min: 1, max: 128 }), ({ groups, text }, prefix) => {
        expect(parseNetwork(text, prefix)).toBe(networkOf(groups, prefix))
      }),
      { numRuns: 2000 },
    )
  })

  test('IPv4 in IPv6 is IPv4 in any notation', () => {
    const prefix = fc.constantFrom([0, 0, 0, 0, 0, 0xffff], [0x64, 0xff9b, 0, 0, 0, 0])
    const low = fc.array(group, { minLength: 2, maxLength: 2 })
    const carried = fc.tuple(prefix, low).map((parts) => parts.flat())
    fc.assert(
      fc.property(written(carried), ({ groups, text }) => {
        const octets = groups.slice(6).flatMap((group) => [group >> 8, group & 255])
        expect(parseNetwork(text, 64)).toBe(new IPv4(octets).toString())
      }),
    )
  })

  test('an IPv4 address is itself, whatever the prefix and the port', () => {
    const port = fc.option(fc.nat(65_535))
    fc.assert(
      fc.property(fc.ipV4(), port, fc.integer({ min: 1, max: 128 }), (text, port, prefix) => {
        expect(parseNetwork(port === null ? text : `${text}:${port}`, prefix)).toBe(text)
      }),
    )
  })

  test('every prefix from 1 to 128 cuts at its bit', () => {
    const ones = Array<number>(8).fill(0xffff)
    for (let prefix = 1; prefix <= 128; prefix++) {
      expect(parseNetwork('ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', prefix)).toBe(
        networkOf(ones, prefix),
      )
    }
  })

  test('what is an address and what is none', () => {
    // Close to an address: its characters at random, or one with a character too many or too few.
    const character = fc.constantFrom(...'0123456789abcdefFgx::::....%')
    const random = fc.string({ unit: character, maxLength: 24 })
    const edited = fc
      .tuple(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(40), fc.nat(1), fc.string({ unit: character }))
      .map(([text, at, gone, come]) => text.slice(0, at) + come.slice(0, 2) + text.slice(at + gone))
    fc.assert(
      fc.property(fc.oneof(random, edited), (text) => {
        expect([text, parseNetwork(text, 64) !== undefined]).toEqual([text, isAddress(text)])
      }),
      { numRuns: 5000 },
    )
  })

  /**
   * By ipaddr.js, where we agree with it. Deliberately stricter: it reads octal, hexadecimal and
   * short IPv4. Deliberately wider: we drop a port, and any zone.
   */
  function isAddress(text: string): boolean {
    const withoutPort = text.replace(/:\d{1,5}$/, '')
    if (IPv4.isValidFourPartDecimal(withoutPort)) return true
    return isIpv6(text) || isIpv6(withoutPort)
  }

  function isIpv6(text: string): boolean {
    const [address = '', ...zone] = text.split('%')
    if (zone.length > 0 && zone.join('%') === '') return false
    const dotted = /[^:]*\.[^:]*$/.exec(address)?.[0]
    return IPv6.isValid(address) && (dotted === undefined || IPv4.isValidFourPartDecimal(dotted))
  }
})

test('a text longer than any address is none, and is not read', () => {
  // Short enough these would be addresses, to the fast path and to the slow one.
  const long: readonly string[] = [
    `${' '.repeat(200)}203.0.113.7`,
    `2001:db8::1%${'e'.repeat(200)}`,
    Array(50).fill('203.0.113.7').join(', '),
  ]
  for (const text of long) expect(parseNetwork(text, 64)).toBeUndefined()
  // The longest that there are, with all that may stand around an address.
  const longest = '0000:0000:0000:0000:0000:ffff:203.000.113.007'.replace('.000.', '.100.')
  const address = `[${longest.replace('007', '107')}%25enp0s31f6.1000]:65535`
  expect(parseNetwork(address, 64)).toBe('203.100.113.107')
})

describe('a private network, which is a proxy more likely than a visitor', () => {
  const texts: Readonly<Record<string, boolean>> = {
    ...{ '127.0.0.1': true, '126.255.255.255': false, '128.0.0.1': false },
    ...{ '10.0.0.1': true, '9.255.255.255': false, '11.0.0.1': false, '100.0.0.1': false },
    ...{ '172.15.0.1': false, '172.16.0.1': true, '172.31.255.255': true, '172.32.0.1': false },
    ...{ '192.168.0.1': true, '192.167.0.1': false, '192.169.0.1': false, '169.254.1.1': true },
    ...{ '100.63.0.1': false, '100.64.0.1': true, '100.127.255.255': true, '100.128.0.1': false },
    ...{ '::1': true, '1::1': false, '::ffff:10.0.0.1': true, '::ffff:9.0.0.1': false },
    ...{ 'fc00::1': true, 'fdaa:0:1::3': true, 'fe80::1%eth0': true, 'febf::1': true },
    ...{
      'fb00::1': false,
      'fec0::1': true,
      'ff02::1': false,
      '2001:db8::1': false,
      'fd::1': false,
    },
  }
  for (const [text, isOne] of Object.entries(texts)) {
    test(`${text} is ${isOne ? 'one' : 'none'}`, () => {
      for (const prefix of [48, 64, 128]) {
        expect(isPrivateNetwork(parseNetwork(text, prefix) ?? '')).toBe(isOne)
      }
    })
  }
})

describe('whoever holds a network', () => {
  test('is one client by all addresses of their /64, and another by the next /64', () => {
    const network = fc.array(fc.integer({ min: 0x100, max: 0xfffe }), {
      minLength: 4,
      maxLength: 4,
    })
    const host = fc.array(fc.nat(0xffff), { minLength: 4, maxLength: 4 })
    const text = (...groups: readonly number[][]) =>
      groups
        .flat()
        .map((group) => group.toString(16))
        .join(':')
    fc.assert(
      fc.property(network, host, host, ([a = 0, b = 0, c = 0, d = 0], one, other) => {
        const client = parseNetwork(text([a, b, c, d], one), 64)
        expect(parseNetwork(text([a, b, c, d], other), 64)).toBe(client)
        expect(parseNetwork(text([a, b, c, d + 1], one), 64)).not.toBe(client)
      }),
    )
  })
})
