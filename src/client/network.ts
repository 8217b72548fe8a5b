/** Without leading zeros, which some parsers read as octal and others as decimal. */
const IPV4 = /^(?:(?:25[0-5]|(?:2[0-4]|1\d|[1-9]?)\d)\.?\b){4}$/

/** A longer text is no address in any notation, and is not parsed. */
const MAX_ADDRESS_CHARS = 128

/** A port as in `1.2.3.4:80`, and the prefix of a dual-stack socket as in `::ffff:1.2.3.4`. */
const AROUND_IPV4 = /^::ffff:(?=[\d.]+$)|(?<=^[\d.]+):\d{1,5}$/i

/** `"1.2.3.4:80"`: RFC 7239 §4 quotes values with a colon. */
const QUOTED = /^"(.*)"$/

/** `[1.2.3.4]:80`: some libraries put brackets around any host. */
const BRACKETED_IPV4 = /^\[([\d.]+)](?=:|$)/

/** `2001:db8::1`, `[2001:db8::1]:80`, `fe80::1%eth0`. The URL parser then checks the address. */
const IPV6 = /^(?=\[.*\]|[^[\]]*$)\[?([\da-f:.]+)(%[^\]\s]+)?\]?(:\d{1,5})?$/i

/**
 * A port after an IPv6 address without brackets (RFC 3986 requires them), as in
 * `2001:db8:0:1:2:3:4:5:46532`.
 */
const BARE_PORT = /(?<=^[^[]+):\d{1,5}$/

/**
 * IPv4 addresses inside of IPv6, by their bits: mapped, ::ffff:0:0/96 (RFC 4291 §2.5.5.2), and
 * translated, 64:ff9b::/96 (RFC 6052 §2.1). If they counted by /64, all of IPv4 would be one
 * client.
 */
const CARRIES_IPV4 = /^(0,0,0,0,0,65535|100,65435,0,0,0,0),/

/**
 * Returns the network that counts as one client, in canonical text (RFC 5952): a whole IPv4
 * address, or the first `prefix` bits of an IPv6 address, because one customer has at least a /64
 * (RFC 6177). Ignores ports, brackets, quotes, zones, letter case, and repetitions of the same
 * address. Returns `undefined` for a text that is not an address.
 */
export function parseNetwork(text: string, prefix: number): string | undefined {
  if (text.length > MAX_ADDRESS_CHARS) return undefined
  // The common case.
  if (IPV4.test(text)) return text
  // A header that two proxies set to the same address arrives as a list.
  const [entry = '', ...others] = text.split(',').map((entry) => entry.trim())
  if (others.some((other) => other !== entry)) return undefined
  const given = entry.replace(QUOTED, '$1').replace(BRACKETED_IPV4, '$1')
  const bare = given.replace(AROUND_IPV4, '')
  if (IPV4.test(bare)) return bare
  const address = ipv6In(given) ?? ipv6In(given.replace(BARE_PORT, ''))
  if (address === undefined) return undefined

  // The eight groups. A text that is empty, beside `::` at either end, is zero.
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

/** An IPv6 address in the notation of RFC 5952, which URLs use; `undefined` for any other text. */
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

/** Whether an address is private. No client on the internet has it, so it probably is a proxy's. */
export const isPrivateNetwork = (network: string) => PRIVATE.test(network)
