import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findProgram } from './debian-program.ts'
import { freePort } from './listen.ts'
import { pause } from './pause.ts'

/** What Prometheus scrapes. */
export interface Target {
  readonly job: string
  readonly url: string
  readonly token?: string
}

/** A target as Prometheus returns it. */
interface ActiveTarget {
  readonly health: 'up' | 'down' | 'unknown'
  readonly lastError: string
}

/** Runs promtool, and returns what it printed. Throws an error with that text if it fails. */
export function promtool(args: readonly string[], input = ''): string {
  const program = findProgram('promtool', 'prometheus')
  try {
    return execFileSync(program, args, { input, encoding: 'utf8', stdio: 'pipe' })
  } catch (error) {
    const { stdout = '', stderr = error } = error as { readonly stdout?: string; stderr?: unknown }
    throw new Error(`promtool ${args.join(' ')}:\n${stdout}${stderr}`)
  }
}

/** Returns what `promtool check metrics` complains about; '' if nothing. */
export function promtoolComplaints(text: string): string {
  try {
    promtool(['check', 'metrics'], text)
    return ''
  } catch (error) {
    return `${error}`
  }
}

/** Starts a Prometheus that scrapes the targets once a second. */
export function startPrometheus(targets: readonly Target[]) {
  const jobs = targets.map(({ job, url, token }) => ({
    job_name: job,
    metrics_path: new URL(url).pathname,
    static_configs: [{ targets: [new URL(url).host] }],
    ...(token === undefined ? {} : { authorization: { credentials: token } }),
  }))
  const config = { global: { scrape_interval: '1s' }, scrape_configs: jobs }
  // YAML contains JSON.
  return spawnPrometheus({ 'prometheus.yml': JSON.stringify(config) })
}

/**
 * Starts Debian's Prometheus on a free loopback port.
 *
 * @param files by their names; `prometheus.yml` is the configuration
 */
export async function spawnPrometheus(files: Readonly<Record<string, string>>) {
  const program = findProgram('prometheus', 'prometheus')
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-prometheus-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const address = `127.0.0.1:${await freePort()}`
  const flags = [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=${address}`,
    '--log.level=warn',
  ]
  const server = spawn(program, flags, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  server.stderr.on('data', (chunk) => (said += chunk))
  const kill = () => server.kill('SIGKILL')
  process.once('exit', kill)
  const ended = new Promise((resolve) => server.once('exit', resolve))

  async function get(path: string): Promise<unknown> {
    const response = await fetch(`http://${address}/api/v1/${path}`)
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`)
    return ((await response.json()) as { readonly data: unknown }).data
  }

  async function stop() {
    process.off('exit', kill)
    if (server.exitCode === null && server.signalCode === null) {
      server.kill('SIGTERM')
      await ended
    }
    rmSync(folder, { recursive: true, force: true })
  }

  const isReady = () =>
    fetch(`http://${address}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    )
  for (const end = Date.now() + 30_000; !(await isReady()); await pause(50)) {
    if (server.exitCode === null && Date.now() < end) continue
    await stop()
    throw new Error(`Prometheus did not start: ${said}`)
  }
  return {
    /** Waits until each target was scraped, and returns the errors of the last scrapes. */
    async scrapeErrors(): Promise<readonly string[]> {
      for (let attempt = 0; attempt < 150; attempt++) {
        const { activeTargets } = (await get('targets?state=active')) as {
          readonly activeTargets: readonly ActiveTarget[]
        }
        const isKnown = activeTargets.every(({ health }) => health !== 'unknown')
        if (isKnown && activeTargets.length > 0) {
          return activeTargets.flatMap(({ lastError }) => lastError || [])
        }
        await pause(100)
      }
      throw new Error('Prometheus scraped nothing within 15 s')
    },
    /** Returns the value of a query with one result; `undefined` without result. */
    async query(query: string): Promise<number | undefined> {
      const { result } = (await get(`query?query=${encodeURIComponent(query)}`)) as {
        readonly result: readonly { readonly value: readonly [number, string] }[]
      }
      const value = result[0]?.value[1]
      return value === undefined ? undefined : Number(value)
    },
    /** Returns the names of the alerts that fire. */
    async firing(): Promise<readonly string[]> {
      const { alerts } = (await get('alerts')) as {
        readonly alerts: readonly {
          readonly labels: { readonly alertname: string }
          readonly state: string
        }[]
      }
      const firing = alerts.filter(({ state }) => state === 'firing')
      return [...new Set(firing.map(({ labels }) => labels.alertname))].sort()
    },
    /** Returns the names of all metrics of Tidegate. */
    async metrics(): Promise<readonly string[]> {
      const names = (await get('label/__name__/values')) as readonly string[]
      return names.filter((name) => name.startsWith('tidegate_'))
    },
    stop,
  }
}
