/** A leading zero means octal to some and decimal to others: no address to us. */
const IPV4 = /^(?:(?:25[0-5]|(?:2[0-4]|1\d|[1-9]?)\d)\.?\b){4}$/

/** `1.2.3.4:80`, and `::ffff:1.2.3.4` as a socket for both versions tells it. */
const AROUND_IPV4 = /^::ffff:(?=[\d.]+$)|(?<=^[\d.]+):\d{1,5}$/i

/** `2001:db8::1`, `[2001:db8::1]:80`, `fe80::1%eth0`; the URL parser looks at it more closely. */
const IPV6 = /^(?=\[.*\]|[^[\]]*$)\[?([\da-f:.]+)(%[^\]\s]+)?\]?(:\d{1,5})?$/i

/**
 * IPv4 carried in IPv6, told by the bits and not by the notation: mapped, ::ffff:0:0/96 (RFC 4291
 * §2.5.5.2), and translated, 64:ff9b::/96 (RFC 6052 §2.1). By its /64 all of IPv4 were one client.
 */
const CARRIES_IPV4 = /^(0,0,0,0,0,65535|100,65435,0,0,0,0),/

/**
 * The network that counts as one client, in canonical text (RFC 5952): an IPv4 address whole, an
 * IPv6 address by its first `prefix` bits, because one customer holds at least a /64 (RFC 6177).
 * Ports, brackets, zones and letter case do not matter. Nothing for a text that is no address.
 */
export function clientNetwork(text: string, prefix: number): string | undefined {
  // Nearly all are written plainly.
  if (IPV4.test(text)) return text
  const given = text.trim()
  const bare = given.replace(AROUND_IPV4, '')
  if (IPV4.test(bare)) return bare
  const address = canonical(IPV6.exec(given)?.[1])
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

/** An IPv6 address as hosts of URLs are written, which is RFC 5952; nothing if it is none. */
function canonical(address: string | undefined): string | undefined {
  try {
    return new URL(`http://[${address}]`).host.slice(1, -1)
  } catch {
    return undefined
  }
}
