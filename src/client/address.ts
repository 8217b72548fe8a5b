/** An address as 32 or 128 bits, in groups of 8 (IPv4) or 16 (IPv6). */
type Address =
  | { readonly version: 4; readonly groups: readonly number[] }
  | { readonly version: 6; readonly groups: readonly number[] }

/**
 * The network that counts as one client, in canonical text (RFC 5952): an IPv4 address whole, an
 * IPv6 address by its first `prefix` bits, because one customer holds at least a /64 (RFC 6177).
 * Ports, brackets, zones and letter case do not matter. Nothing for a text that is no address.
 */
export function clientNetwork(text: string, prefix: number): string | undefined {
  const address = parse(text)
  if (address === undefined) return undefined
  if (address.version === 4) return address.groups.join('.')
  const network = address.groups.map((group, index) => {
    const bits = Math.min(16, Math.max(0, prefix - index * 16))
    return group & (0xffff << (16 - bits)) & 0xffff
  })
  return prefix === 128 ? formatIPv6(network) : `${formatIPv6(network)}/${prefix}`
}

/** `1.2.3.4`, `1.2.3.4:80`, `2001:db8::1`, `[2001:db8::1]:80`, `fe80::1%eth0`. */
function parse(text: string): Address | undefined {
  const [, bracketed, bare] = /^\s*(?:\[([^[\]]*)\](?::\d{1,5})?|([^\s[\]]+))\s*$/.exec(text) ?? []
  if (bracketed !== undefined) return parseIPv6(bracketed)
  if (bare === undefined) return undefined
  return parseIPv4(bare.replace(/:\d{1,5}$/, '')) ?? parseIPv6(bare)
}

function parseIPv4(text: string): Address | undefined {
  const octets = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1)
  // A leading zero means octal to some and decimal to others: no address to us.
  if (!octets || octets.some((octet) => Number(octet) > 255 || /^0\d/.test(octet))) return undefined
  return { version: 4, groups: octets.map(Number) }
}

function parseIPv6(text: string): Address | undefined {
  const [, head = '', dotted] = /^([^%]*?)((?:\d{1,3}\.){3}\d{1,3})?(?:%.+)?$/.exec(text) ?? []
  const tail = dotted === undefined ? undefined : parseIPv4(dotted)
  if (dotted !== undefined && !(tail && head.endsWith(':'))) return undefined
  const low = tail ? pairs(tail.groups) : []
  const halves = (tail ? head.replace(/([^:]):$/, '$1') : head).split('::')
  if (halves.length > 2) return undefined
  const [front = [], back = []] = halves.map(groupsOf)
  const missing = 8 - front.length - back.length - low.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  const groups = [...front, ...Array<number>(missing).fill(0), ...back, ...low]
  if (groups.some(Number.isNaN)) return undefined
  return embeddedIPv4(groups) ?? { version: 6, groups }
}

const groupsOf = (half: string) =>
  half === ''
    ? []
    : half
        .split(':')
        .map((group) => (/^[\da-f]{1,4}$/i.test(group) ? Number.parseInt(group, 16) : Number.NaN))

const pairs = ([a = 0, b = 0, c = 0, d = 0]: readonly number[]) => [a * 256 + b, c * 256 + d]

/**
 * IPv4 carried in IPv6, told by the bits and not by the notation: mapped, ::ffff:0:0/96 (RFC 4291
 * §2.5.5.2), and translated, 64:ff9b::/96 (RFC 6052 §2.1). By its /64 all of IPv4 were one client.
 */
function embeddedIPv4(groups: readonly number[]): Address | undefined {
  const prefix = groups.slice(0, 6).join()
  if (prefix !== '0,0,0,0,0,65535' && prefix !== '100,65435,0,0,0,0') return undefined
  return { version: 4, groups: groups.slice(6).flatMap((group) => [group >> 8, group & 255]) }
}

/** RFC 5952 §4: lower case, no leading zeros, the first longest run of two zeros or more as `::`. */
function formatIPv6(groups: readonly number[]): string {
  let start = 0
  let length = 0
  for (let from = 0; from < 8; from++) {
    let to = from
    while (groups[to] === 0) to++
    if (to - from > length && to - from > 1) [start, length] = [from, to - from]
  }
  const hex = groups.map((group) => group.toString(16))
  if (length === 0) return hex.join(':')
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`
}
