import { tagOf } from '../key.ts'

const SLOTS = 16_384

/** What a Cluster's client knows of its slots: of ioredis and iovalkey, and of node-redis. */
interface ClusterClient {
  readonly slots?: ArrayLike<
    readonly string[] | { readonly master?: { readonly address?: string } } | undefined
  >
}

/**
 * Returns the address of the node that counts a client, or the client as long as the library has
 * not found the nodes. An outage of one node leaves the clients of others alone.
 */
export function nodeOf(cluster: object, client: string): string {
  const slot = (cluster as ClusterClient).slots?.[slotOf(tagOf(client))]
  const address = slot && ('master' in slot ? slot.master?.address : (slot as readonly string[])[0])
  return typeof address === 'string' ? address : client
}

/**
 * The slot of a key: CRC-16/XMODEM of its hash tag
 * (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#key-distribution-model).
 */
export function slotOf(tag: string): number {
  let crc = 0
  for (const byte of new TextEncoder().encode(tag)) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff
  }
  return crc % SLOTS
}
