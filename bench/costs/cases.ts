import { readCostFlags } from '../../src/cli/cost-flags.ts'
import type { Traffic } from '../../src/cost/traffic.ts'

/** A typical case of docs/costs.md. */
export interface Case {
  readonly name: string
  readonly title: string
  readonly text: string
  /** As one writes them after `npx tidegate cost`. */
  readonly flags: string
}

export const CASES: readonly Case[] = [
  {
    name: 'website',
    title: 'A website',
    text:
      '200,000 visitors send 150 requests a month each on average, about 20 in a visit. ' +
      'Few of them reach the limit.',
    flags: '--requests 30M --clients 200k --policy 100/1m',
  },
  {
    name: 'api',
    title: 'An API with large customers',
    text:
      'Four customers send 48 requests a second each on average, day and night. Each request ' +
      'reaches any of four isolates. Leases are made for such clients.',
    flags: '--requests 500M --clients 4 --policy 600/10s --visit 1 --isolates 4 --stay 0 --lease',
  },
  {
    name: 'login',
    title: 'A login page under attack',
    text:
      'Five clients try passwords, 7.6 times a second each on average, over many connections. Most of ' +
      'their requests are refused.',
    flags: '--requests 100M --clients 5 --policy 10/10s --visit 1 --isolates 10 --stay 0',
  },
]

export const trafficOf = ({ flags }: Case): Traffic => readCostFlags(flags.split(' ')).traffic
