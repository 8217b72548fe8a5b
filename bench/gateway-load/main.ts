/**
 * What the gateway sustains beside a plain HTTP echo of the same server, and beside what the same
 * Redis does without it. All take turns in one run, so that what else the machine does hits all.
 * `npm install && npm run gateway-load` in `bench/`, with redis-server and redis-benchmark on the PATH.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import autocannon from 'autocannon'
import { Redis } from 'ioredis'
import { TAKE } from '../../src/stores/redis-protocol/script.ts'
import { median } from '../measure/statistics.ts'
import { startListening } from './listening.ts'

const SECONDS = Number(process.env.SECONDS ?? 2)
const ROUNDS = Number(process.env.ROUNDS ?? 5)
/** HTTP connections, commands in flight on the one connection of ioredis, and clients. */
const AT_ONCE = 32
const IN_PIPELINE = 50
const PORT = 18_379
const TOKEN = crypto.randomUUID()

const children: ChildProcess[] = []

/** Starts a program that ends with this one. */
async function start(file: string, args: readonly string[] = []) {
  const env = { GATEWAY_TOKEN: TOKEN }
  const { child, url } = await startListening(new URL(file, import.meta.url), args, env)
  children.push(child)
  return { url, pid: child.pid ?? 0 }
}

/** What one turn came to. */
interface Turn {
  /** Commands a second; of the echo requests. */
  readonly rate: number
  readonly p50?: number
  readonly p99?: number
  /** Which part of a core the load generator, the server in question and Redis each took. */
  readonly cores: readonly number[]
}

type Work = () => Promise<Omit<Turn, 'cores'>>

const post = (url: string, body: string) =>
  fetch(url, { method: 'POST', headers: { authorization: `Bearer ${TOKEN}` }, body })

/** Over HTTP, where one request brings one command or many. */
const overHttp =
  (url: string, body: string, commands = 1): Work =>
  async () => {
    const headers = { authorization: `Bearer ${TOKEN}` }
    const { requests, latency, non2xx, errors } = await autocannon({
      ...{ url, body, headers, method: 'POST', connections: AT_ONCE, duration: SECONDS },
    })
    if (non2xx + errors > 0) throw new Error(`${url}: ${non2xx} refused, ${errors} failed`)
    return { rate: requests.average * commands, p50: latency.p50, p99: latency.p99 }
  }

/** What an application on Node gets from the same Redis by itself. */
const overTcp =
  (send: () => Promise<unknown>, commands = 1): Work =>
  async () => {
    const start = performance.now()
    let sent = 0
    const client = async () => {
      while (performance.now() - start < SECONDS * 1000) {
        await send()
        sent += commands
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, client))
    return { rate: sent / ((performance.now() - start) / 1000) }
  }

/** Redis' own load generator: a program in C, with a connection for each client. */
const overBenchmark =
  (command: readonly string[], pipelined = 1): Work =>
  async () => {
    const requests = SECONDS * (pipelined > 1 ? 120_000 : 40_000)
    const clients = ['-c', `${AT_ONCE}`, '-P', `${pipelined}`, '-n', `${requests}`, '--csv']
    const { stdout } = await promisify(execFile)('redis-benchmark', [
      ...['-p', `${PORT}`, ...clients, ...command],
    ])
    const [, rate] = /^"[^"]*","([\d.]+)"/m.exec(stdout.replace(/^"test".*$/m, '')) ?? []
    return { rate: Number(rate) }
  }

/** In µs, of which a tick of the kernel's clock is 10,000. Linux alone tells it in this way. */
function timeOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

try {
  const settings = ['--port', `${PORT}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const server = spawn('redis-server', settings, { stdio: 'ignore' })
  children.push(server)
  const echo = await start('echo.ts')
  const redisUrl = `redis://127.0.0.1:${PORT}`
  const gateway = await start('../../src/cli/main.ts', [
    'gateway',
    '--redis',
    redisUrl,
    '--port',
    '0',
  ])
  for (;;) {
    if ((await fetch(`${gateway.url}/healthz`)).ok) break
    await sleep(50)
  }
  const redis = new Redis(redisUrl)

  const demand = [
    '1',
    'ratelimit:192.0.2.1',
    '1000000000',
    '3600000',
    '1',
    '0',
    '0',
    '0',
    '3600000',
  ]
  await redis.call('SCRIPT', 'LOAD', TAKE.plain.text)
  const COMMANDS = {
    PING: ['PING'],
    'a check of one unit (INCRBY)': ['INCRBY', 'ratelimit:192.0.2.1', '1'],
    'a check by the script (EVALSHA)': ['EVALSHA', TAKE.plain.sha, ...demand],
  }
  const script = COMMANDS['a check by the script (EVALSHA)']
  const many = JSON.stringify(Array(IN_PIPELINE).fill(script))
  for (const [path, body] of [
    ['/', JSON.stringify(script)] as const,
    ['/pipeline', many] as const,
  ]) {
    const answer = await (await post(gateway.url + path, body)).text()
    if (answer.includes('error')) throw new Error(answer)
  }

  const works: { name: string; way: string; pid: number; work: Work; turns: Turn[] }[] = []
  const add = (name: string, way: string, pid: number, work: Work) =>
    works.push({ name, way, pid, work, turns: [] })
  add('echo', 'echo', echo.pid, overHttp(echo.url, JSON.stringify(script)))
  for (const [name, command] of Object.entries(COMMANDS)) {
    const [first = '', ...args] = command
    add(name, 'gateway', gateway.pid, overHttp(gateway.url, JSON.stringify(command)))
    add(
      name,
      'ioredis',
      0,
      overTcp(() => redis.call(first, ...args)),
    )
    add(name, 'redis-benchmark', 0, overBenchmark(command))
  }
  const name = `${IN_PIPELINE} checks (EVALSHA) at once`
  const [first = '', ...args] = script
  const pipeline = () => {
    const batch = redis.pipeline()
    for (let sent = 0; sent < IN_PIPELINE; sent++) batch.call(first, ...args)
    return batch.exec()
  }
  add(name, 'gateway', gateway.pid, overHttp(`${gateway.url}/pipeline`, many, IN_PIPELINE))
  add(name, 'ioredis', 0, overTcp(pipeline, IN_PIPELINE))
  add(name, 'redis-benchmark', 0, overBenchmark(script, IN_PIPELINE))

  for (let round = 0; round <= ROUNDS; round++) {
    for (const { pid, work, turns } of works) {
      const pids = [process.pid, pid, server.pid ?? 0]
      const before = pids.map((id) => (id === 0 ? 0 : timeOf(id)))
      const start = performance.now()
      const turn = await work()
      const took = (performance.now() - start) * 1000
      const cores = pids.map((id, i) => (id === 0 ? 0 : (timeOf(id) - (before[i] ?? 0)) / took))
      // The first round only warms up.
      if (round > 0) turns.push({ ...turn, cores })
    }
  }

  const of = (turns: readonly Turn[], what: (turn: Turn) => number | undefined) =>
    median(turns.map(what).filter((value) => value !== undefined))
  const turnsOf = (name: string, way: string) =>
    works.find((work) => work.name === name && work.way === way)?.turns ?? []
  /** Of what was measured in one round alone: the next one meets another machine. */
  const ratio = (turns: readonly Turn[], others: readonly Turn[]) =>
    median(turns.map(({ rate }, round) => rate / (others[round]?.rate ?? Number.NaN))).toFixed(2)
  console.log(
    `${availableParallelism()} cores, Node ${process.version}, medians of ${ROUNDS} rounds`,
  )
  console.table(
    works.map(({ name, way, turns }) => {
      const isHttp = way === 'gateway' || way === 'echo'
      const core = (index: number) => of(turns, ({ cores }) => cores[index]).toFixed(2)
      return {
        work: name,
        by: way,
        'a second': Math.round(of(turns, ({ rate }) => rate)).toLocaleString('en'),
        'of echo': isHttp ? ratio(turns, turnsOf('echo', 'echo')) : '',
        'gateway of it': isHttp ? '' : ratio(turnsOf(name, 'gateway'), turns),
        'p50 ms': isHttp ? of(turns, ({ p50 }) => p50) : '',
        'p99 ms': isHttp ? of(turns, ({ p99 }) => p99) : '',
        'cores: load': way === 'redis-benchmark' ? '' : core(0),
        server: isHttp ? core(1) : '',
        Redis: core(2),
      }
    }),
  )
  redis.disconnect()
} finally {
  for (const child of children) child.kill('SIGTERM')
}
