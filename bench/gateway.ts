/**
 * What the gateway sustains beside a plain HTTP echo of the same server, as a ratio: their rounds
 * take turns in one run, so that what else the machine does hits both.
 * `npm install && npm run gateway` in this folder, with redis-server on the PATH.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import autocannon from 'autocannon'
import { PLAIN } from '../src/stores/script.ts'

const SECONDS = Number(process.env.SECONDS ?? 5)
const ROUNDS = Number(process.env.ROUNDS ?? 3)
const CONNECTIONS = 32
const PORT = 18_379
const TOKEN = crypto.randomUUID()

const children: ChildProcess[] = []

/** Starts a program of this repository, and resolves to the URL that it says. */
async function start(file: string, args: readonly string[] = []): Promise<string> {
  const child = spawn(process.execPath, [new URL(file, import.meta.url).pathname, ...args], {
    env: { ...process.env, GATEWAY_TOKEN: TOKEN },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  let said = ''
  for await (const chunk of child.stdout) {
    said += chunk
    const [, url] = /listening on (\S+)/.exec(said) ?? []
    if (url !== undefined) {
      child.stdout.resume()
      return url
    }
  }
  throw new Error(`${file} ended: ${said}`)
}

async function load(url: string, body: string) {
  const headers = { authorization: `Bearer ${TOKEN}` }
  const { requests, latency, non2xx, errors } = await autocannon({
    ...{ url, body, headers, method: 'POST', connections: CONNECTIONS, duration: SECONDS },
  })
  if (non2xx + errors > 0) throw new Error(`${url}: ${non2xx} refused, ${errors} failed`)
  return { rate: requests.average, p50: latency.p50, p99: latency.p99 }
}

const median = (numbers: readonly number[]) =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN

try {
  const settings = ['--port', `${PORT}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  children.push(spawn('redis-server', settings, { stdio: 'ignore' }))
  const echo = await start('echo.ts')
  const redis = ['--redis', `redis://127.0.0.1:${PORT}`, '--port', '0']
  const gateway = await start('../src/cli/main.ts', ['gateway', ...redis])
  for (;;) {
    if ((await fetch(`${gateway}/healthz`)).ok) break
    await new Promise((resolve) => setTimeout(resolve, 50))
  }

  const demand = ['1', 'bench:client', '1000000000', '3600000', '1', '0']
  const evalsha = JSON.stringify(['EVALSHA', PLAIN.sha, ...demand])
  const headers = { authorization: `Bearer ${TOKEN}` }
  const body = JSON.stringify(['EVAL', PLAIN.text, ...demand])
  await fetch(gateway, { method: 'POST', headers, body })

  const work = {
    echo: [echo, evalsha],
    PING: [gateway, '["PING"]'],
    'a check (EVALSHA)': [gateway, evalsha],
  } as const
  const rounds = Object.entries(work).map(([name, [url, sent]]) => ({
    name,
    url,
    sent,
    got: [] as { rate: number; p50: number; p99: number }[],
  }))
  for (let round = 0; round <= ROUNDS; round++) {
    for (const { url, sent, got } of rounds) {
      const result = await load(url, sent)
      // The first round only warms up.
      if (round > 0) got.push(result)
    }
  }
  const base = median(rounds[0]?.got.map(({ rate }) => rate) ?? [])
  console.table(
    rounds.map(({ name, got }) => {
      const rate = median(got.map((result) => result.rate))
      return {
        work: name,
        'requests/s': Math.round(rate),
        'of echo': (rate / base).toFixed(2),
        'p50 ms': median(got.map(({ p50 }) => p50)),
        'p99 ms': median(got.map(({ p99 }) => p99)),
      }
    }),
  )
} finally {
  for (const child of children) child.kill('SIGTERM')
}
