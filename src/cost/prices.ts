/*
 * Prices in US dollars, for one region, without tax. A price that changes is changed here, with the
 * month in which it was read. `npm run costs` then writes docs/costs.md anew.
 */

/** Where a price was read, and in which month. */
export interface Quote {
  readonly source: string
  readonly read: string
}

/** AWS and Cloudflare count a month as so many hours. */
export const MONTH_HOURS = 730

export const UPSTASH = {
  source: 'https://upstash.com/pricing/redis',
  read: '2026-11',
  /** No plan but Enterprise takes more. */
  commandsPerSecond: 10_000,
  free: { commands: 500_000, megabytes: 256, trafficGb: 10 },
  payAsYouGo: {
    perCommand: 0.2 / 100_000,
    freeGb: 1,
    perGb: 0.25,
    freeTrafficGb: 200,
    perTrafficGb: 0.03,
  },
  /** Commands are not counted. A further region costs half as much again. */
  fixed: [
    { name: '250 MB', usd: 10, megabytes: 250, trafficGb: 50 },
    { name: '1 GB', usd: 20, megabytes: 1000, trafficGb: 100 },
    { name: '5 GB', usd: 100, megabytes: 5000, trafficGb: 500 },
    { name: '10 GB', usd: 200, megabytes: 10_000, trafficGb: 1000 },
    { name: '50 GB', usd: 400, megabytes: 50_000, trafficGb: 5000 },
    { name: '100 GB', usd: 800, megabytes: 100_000, trafficGb: 10_000 },
    { name: '500 GB', usd: 1500, megabytes: 500_000, trafficGb: 20_000 },
  ],
} as const

export const DURABLE_OBJECTS = {
  source: 'https://developers.cloudflare.com/durable-objects/platform/pricing/',
  read: '2026-11',
  /** The Workers Paid plan, which a Worker with so many requests has anyway. */
  plan: 5,
  freeRequests: 1_000_000,
  perRequest: 0.15 / 1_000_000,
  freeRowsWritten: 50_000_000,
  perRowWritten: 1 / 1_000_000,
  freeGbSeconds: 400_000,
  perGbSecond: 12.5 / 1_000_000,
  /** What one object handles (docs/durable-object.md). */
  requestsPerSecond: 1000,
  /** Each object is billed for 128 MB while it works. */
  gb: 0.128,
} as const

/**
 * One node of Redis OSS, on demand, in us-east-1. Valkey costs 20 % less. AWS rates the network of a
 * node, not how many commands its processor takes: `gbps` is the baseline bandwidth, which a node
 * has all the time. Read in 2026-11: of t4g, t3 and m5 in
 * https://github.com/awsdocs/amazon-elasticache-docs/blob/main/doc_source/redis/CacheNodes.SupportedTypes.md,
 * which is older than m7g; of m7g as the baseline of EC2's m7g.large in
 * https://docs.aws.amazon.com/ec2/latest/instancetypes/gp.html
 */
export const ELASTICACHE = {
  source: 'https://aws.amazon.com/elasticache/pricing/',
  read: '2026-10',
  nodes: [
    { name: 'cache.t4g.micro', perHour: 0.016, gib: 0.5, gbps: 0.064 },
    { name: 'cache.t3.micro', perHour: 0.017, gib: 0.5, gbps: 0.064 },
    { name: 'cache.m5.large', perHour: 0.156, gib: 6.38, gbps: 0.75 },
    { name: 'cache.m7g.large', perHour: 0.158, gib: 6.38, gbps: 0.937 },
  ],
} as const

/** Sizes and times that the prices are multiplied with. */
export const ASSUMED = {
  /** A count such as `ratelimit:203.0.113.7` with its expiry; tests/hosts/costs.test.ts measures it. */
  bytesPerKey: 120,
  /** At most: an HTTP request to Upstash and its answer, with headers; the same test measures it. */
  bytesPerCall: 1000,
  /** At most: a call to Redis over TCP and its answer, with the heads of packets. */
  bytesPerRedisCall: 500,
  /** At most: for how long an object works for one call, while it waits for its storage. */
  secondsPerObjectCall: 0.01,
} as const
