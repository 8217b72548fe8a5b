import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './listen.ts'
import { pause } from './pause.ts'

/** What Prometheus scrapes. */
export interface Target {
  readonly job: string
  readonly url: string
  readonly token?: string
}

/**
 * Makes sure that Debian's Prometheus and promtool are installed: it installs them if it may (root,
 * apt), else throws an error that tells how.
 */
export function ensurePrometheus(): void {
  if (isInstalled()) return
  const want = 'Prometheus: apt-get install --no-install-recommends prometheus'
  if (process.getuid?.() !== 0) throw new Error(`This test needs ${want}`)
  const options = {
    stdio: 'ignore',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  } as const
  try {
    execFileSync('apt-get', ['update', '-qq'], options)
    const install = ['install', '-y', '-qq', '--no-install-recommends', 'prometheus']
    // The package starts its service where there is systemd.
    execFileSync('apt-get', install, { ...options, env: { ...options.env, RUNLEVEL: '1' } })
  } catch (cause) {
    throw new Error(`apt-get failed, and this test needs ${want}`, { cause })
  }
}

function isInstalled(): boolean {
  try {
    for (const program of ['prometheus', 'promtool']) {
      execFileSync(program, ['--version'], { stdio: 'ignore' })
    }
    return true
  } catch {
    return false
  }
}

/** Returns what `promtool check metrics` complains about; '' if nothing. */
export function promtoolComplaints(text: string): string {
  try {
    execFileSync('promtool', ['check', 'metrics'], { input: text, stdio: ['pipe', 'pipe', 'pipe'] })
    return ''
  } catch (error) {
    const { stderr, stdout } = error as { readonly stderr: Buffer; readonly stdout: Buffer }
    return `${stdout}${stderr}` || 'promtool failed'
  }
}

/** Starts a Prometheus that scrapes the targets once a second. */
export async function startPrometheus(targets: readonly Target[]) {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-prometheus-'))
  const jobs = targets.map(({ job, url, token }) => ({
    job_name: job,
    metrics_path: new URL(url).pathname,
    static_configs: [{ targets: [new URL(url).host] }],
    ...(token === undefined ? {} : { authorization: { credentials: token } }),
  }))
  const config = { global: { scrape_interval: '1s' }, scrape_configs: jobs }
  // YAML contains JSON.
  writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config))
  const address = `127.0.0.1:${await freePort()}`
  const server = spawn(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${address}`,
      '--log.level=warn',
    ],
    { stdio: 'ignore' },
  )
  const kill = () => server.kill('SIGKILL')
  process.on('exit', kill)

  async function get(path: string): Promise<unknown> {
    const response = await fetch(`http://${address}/api/v1/${path}`)
    const { data } = (await response.json()) as { readonly data: unknown }
    return data
  }

  return {
    /** Waits until each target was scraped, and returns the errors of the last scrapes. */
    async scrapeErrors(): Promise<readonly string[]> {
      for (let attempt = 0; attempt < 150; attempt++) {
        const found = (await get('targets').catch(() => undefined)) as
          | { readonly activeTargets: readonly { health: string; lastError: string }[] }
          | undefined
        const known = found?.activeTargets.filter(({ health }) => health !== 'unknown') ?? []
        if (known.length === targets.length)
          return known.flatMap(({ lastError }) => lastError || [])
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
    async stop() {
      process.off('exit', kill)
      const ended = new Promise((resolve) => server.once('exit', resolve))
      kill()
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
