/** A leading zero means octal to some and decimal to others: no address to us. */
const IPV4 = /^(?:(?:25[0-5]|(?:2[0-4]|1\d|[1-9]?)\d)\.?\b){4}$/

/** In characters. A longer text is no address in any notation, and is not parsed. */
const MAX_LENGTH = 128

/** `1.2.3.4:80`, and `::ffff:1.2.3.4` as a socket for both versions tells it. */
const AROUND_IPV4 = /^::ffff:(?=[\d.]+$)|(?<=^[\d.]+):\d{1,5}$/i

/** `"1.2.3.4:80"`, as RFC 7239 §4 quotes what holds a colon. */
const QUOTED = /^"(.*)"$/

/** `[1.2.3.4]:80`, as libraries write it that put brackets around any host. */
const BRACKETED_IPV4 = /^\[([\d.]+)](?=:|$)/

/** `2001:db8::1`, `[2001:db8::1]:80`, `fe80::1%eth0`; the URL parser looks at it more closely. */
const IPV6 = /^(?=\[.*\]|[^[\]]*$)\[?([\da-f:.]+)(%[^\]\s]+)?\]?(:\d{1,5})?$/i

/**
 * A port after an IPv6 address without brackets (RFC 3986 requires them), as in
 * `2001:db8:0:1:2:3:4:5:46532`.
 */
const BARE_PORT = /(?<=^[^[]+):\d{1,5}$/

/**
 * IPv4 carried in IPv6, told by the bits and not by the notation: mapped, ::ffff:0:0/96 (RFC 4291
 * §2.5.5.2), and translated, 64:ff9b::/96 (RFC 6052 §2.1). By its /64 all of IPv4 were one client.
 */
const CARRIES_IPV4 = /^(0,0,0,0,0,65535|100,65435,0,0,0,0),/

/**
 * The network that counts as one client, in canonical text (RFC 5952): an IPv4 address whole, an
 * IPv6 address by its first `prefix` bits, because one customer holds at least a /64 (RFC 6177).
 * Ports, brackets, quotes, zones and letter case do not matter, nor that the same address is listed
 * twice. Nothing for a text that is no address.
 */
export function clientNetwork(text: string, prefix: number): string | undefined {
  if (text.length > MAX_LENGTH) return undefined
  // Nearly all are written plainly.
  if (IPV4.test(text)) return text
  // A header that two proxies set alike arrives as a list.
  const [entry = '', ...others] = text.split(',').map((entry) => entry.trim())
  if (others.some((other) => other !== entry)) return undefined
  const given = entry.replace(QUOTED, '$1').replace(BRACKETED_IPV4, '$1')
  const bare = given.replace(AROUND_IPV4, '')
  if (IPV4.test(bare)) return bare
  const address = ipv6In(given) ?? ipv6In(given.replace(BARE_PORT, ''))
  if (address === undefined) return undefined

  // The eight groups, where what is empty beside `::` at either end is zero.
  const zeros = '0:'.repeat(9 - address.split(':').length)
  const texts = address.replace('::', `:${zeros}`).split(':')
  const groups = texts.map((group) => Number.parseInt(group || '0', 16))
  if (CARRIES_IPV4.test(groups.join())) {
    return groups
      .slice(6)
      .flatMap((group) => [group >> 8, group & 255])
      .join('.')
  }
  const network = groups.map((group, index) => {
    const cut = Math.min(16, Math.max(0, 16 * (index + 1) - prefix))
    return ((group >> cut) << cut).toString(16)
  })
  return prefix === 128 ? address : `${canonical(network.join(':'))}/${prefix}`
}

const ipv6In = (text: string) => canonical(IPV6.exec(text)?.[1])

/** An IPv6 address as hosts of URLs are written, which is RFC 5952; nothing if it is none. */
function canonical(address: string | undefined): string | undefined {
  try {
    return new URL(`http://[${address}]`).host.slice(1, -1)
  } catch {
    return undefined
  }
}

/** Loopback, private (RFC 1918, RFC 4193), link-local, or between a provider's hosts (RFC 6598). */
const PRIVATE =
  /^(10|127|192\.168|169\.254|172\.(1[6-9]|2\d|3[01])|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\.|^::1?(\/|$)|^f[cde]..:/

/** Whether no visitor from the internet can have this address. It is most likely a proxy's. */
export const isPrivate = (network: string) => PRIVATE.test(network)
