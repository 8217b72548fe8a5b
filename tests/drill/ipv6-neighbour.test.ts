import type { IncomingMessage } from 'node:http'
import { describe, expect, test } from 'vitest'
import { type Network, systemNetwork } from '../../src/drill/addresses.ts'
import { drilled } from './support/drilled.ts'

/**
 * A machine with IPv6 addresses. In front of the real loopback, each stands for an IPv4 address: one
 * machine has many of those for itself, and only one of IPv6.
 */
const LOOPBACK: Readonly<Record<string, string>> = {
  '2001:db8:0:1::a': '127.0.0.2',
  '2001:db8:0:1::b': '127.0.0.3',
  '2001:db8:0:2::c': '127.0.0.4',
  // An address that is no longer this machine's.
  '2001:db8:0:1::dead': '192.0.2.1',
}
const ipv6Of = (address?: string) =>
  Object.keys(LOOPBACK).find((ipv6) => LOOPBACK[ipv6] === address) ?? ''

const networkOf = (...ownAddresses: readonly string[]): Network => ({
  ...systemNetwork,
  ownAddresses: () => ownAddresses,
  createSender(url, _, timeout, clock) {
    const send = systemNetwork.createSender(url, ['127.0.0.1'], timeout, clock)
    return async (request) => {
      const { localAddress = '2001:db8:0:1::a' } = request
      const response = await send({ ...request, localAddress: LOOPBACK[localAddress] })
      return { ...response, localAddress: ipv6Of(response.localAddress) }
    }
  },
})

const more = (...own: readonly string[]) => ({
  network: networkOf(...own),
  addresses: ['2001:db8:9::1', '192.0.2.1'],
})

describe('an IPv6 address of the same /64', () => {
  const both = more('2001:db8:0:1::a', '2001:db8:0:1::b', '2001:db8:0:2::c', '192.0.2.7')

  test('is found to have a quota of its own, if the limiter counts by the whole address', async () => {
    const client = ({ socket }: IncomingMessage) => ipv6Of(socket.remoteAddress)
    const { bad, of, received } = await drilled({ client }, both)
    expect(bad).toEqual(['ipv6-neighbour: failure'])
    expect(of('ipv6-neighbour')?.remedy).toContain('/64')
    expect(received.length).toBeGreaterThan(40)
  })

  test('passes if the limiter counts by /64', async () => {
    const client = ({ socket }: IncomingMessage) => ipv6Of(socket.remoteAddress).slice(0, 12)
    const { bad, of, variants } = await drilled({ client }, both)
    expect(bad).toEqual([])
    expect(of('ipv6-neighbour')?.level).toBe('ok')
    expect(variants.at(-1)).toMatchObject({ check: 'ipv6-neighbour', outcome: 'shared' })
  })
})

describe('it is not tried, for a reason that the report has, if', () => {
  test('the host has IPv4 alone', async () => {
    const { of } = await drilled()
    expect(of('ipv6-neighbour')).toMatchObject({
      level: 'info',
      says: 'Not tried: the host has no IPv6 address.',
    })
  })

  test('the requests went over IPv4', async () => {
    const { of } = await drilled({}, { addresses: ['127.0.0.1', '::1'] })
    expect(of('ipv6-neighbour')?.says).toBe('Not tried: the requests went over IPv4.')
  })

  test('no request can be sent from the neighbour', async () => {
    const network = networkOf('2001:db8:0:1::a', '2001:db8:0:1::dead')
    const { bad, of } = await drilled({}, { ...more(), network })
    expect(bad).toEqual([])
    expect(of('ipv6-neighbour')?.says).toMatch(/^Not tried: no request could be sent/)
  })

  test('this machine has no neighbour', async () => {
    const { of } = await drilled({}, more('2001:db8:0:1::a', '2001:db8:0:2::c'))
    expect(of('ipv6-neighbour')?.says).toMatch(
      /^Not tried: this machine has no second IPv6 address/,
    )
  })
})
