import { lookup } from 'node:dns/promises'
import { networkInterfaces } from 'node:os'
import { createHttpSender } from './http-sender.ts'

/** The network, which tests replace in part. */
export interface Network {
  /** The addresses of a host, in the order of preference. Throws if there are none. */
  resolve(hostname: string): Promise<readonly string[]>
  /** The addresses of this machine. */
  ownAddresses(): readonly string[]
  readonly createSender: typeof createHttpSender
}

export const systemNetwork: Network = {
  async resolve(hostname) {
    const found = await lookup(hostname.replace(/^\[|\]$/g, ''), { all: true })
    return found.map(({ address }) => address)
  },
  ownAddresses: () =>
    Object.values(networkInterfaces()).flatMap((all = []) => all.map(({ address }) => address)),
  createSender: createHttpSender,
}

/** Whether an address belongs to this machine alone (RFC 1122 §3.2.1.3, RFC 4291 §2.5.3). */
export const isLoopback = (address: string) => /^(?:::ffff:)?127\.|^::1$/i.test(address)
