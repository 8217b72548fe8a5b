import { type ChildProcess, spawn } from 'node:child_process'

export interface ProgramOptions {
  readonly cwd: string
  /** Besides the variables of this process, but for those that would change what is tested. */
  readonly env?: Readonly<Record<string, string>>
}

/** What a test runner sets, and what would configure a limiter. */
const FOREIGN = /^(?:NODE_ENV|VITEST\w*|TEST|VERCEL\w*|POLICIES|\w*(?:UPSTASH|KV_REST)_\w*)$/

/**
 * Runs programs, each as a process group of its own, so that nothing they start outlives `stop`,
 * nor a run that is broken off.
 */
export function programs() {
  const running = new Set<ChildProcess>()
  const killAll = () => {
    for (const { pid } of running) if (pid) killGroup(pid)
  }
  // A run that is broken off ends its workers by a signal, or just leaves them.
  const leave = () => process.exit(1)
  process.once('exit', killAll)
  process.once('SIGTERM', leave)
  process.once('disconnect', leave)

  function start(command: string, args: readonly string[], { cwd, env = {} }: ProgramOptions) {
    const own = Object.entries(process.env).filter(([name]) => !FOREIGN.test(name))
    const program = spawn(command, args, {
      cwd,
      env: { ...Object.fromEntries(own), ...env },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    running.add(program)
    let output = ''
    const read = (chunk: Buffer) => {
      output += chunk
    }
    program.stdout.on('data', read)
    program.stderr.on('data', read)
    const ended = new Promise<number | null>((resolve, reject) => {
      program.once('error', reject)
      program.once('close', (code) => {
        running.delete(program)
        resolve(code)
      })
    })
    const failure = (what: string) =>
      new Error(`${[command, ...args].join(' ')} ${what}:\n${output}`)
    return { program, ended, failure, output: () => output }
  }

  return {
    /** Runs a program to its end and returns what it printed. Throws unless it ends well. */
    async run(command: string, args: readonly string[], options: ProgramOptions) {
      const { ended, failure, output } = start(command, args, options)
      const code = await ended
      if (code !== 0) throw failure(`ended with ${code}`)
      return output()
    },

    /** Starts a server. When it has printed that it is ready, returns what tells all it printed. */
    async serve(
      command: string,
      args: readonly string[],
      ready: RegExp,
      options: ProgramOptions,
    ): Promise<() => string> {
      const { program, ended, failure, output } = start(command, args, options)
      const listening = new Promise<void>((resolve) => {
        const look = () => ready.test(output()) && resolve()
        program.stdout.on('data', look)
        program.stderr.on('data', look)
      })
      const gone = ended.then((code) => {
        throw failure(`ended with ${code} before it was ready`)
      })
      // After it was ready, its end is no error: `stop` brings it about.
      await Promise.race([listening, gone])
      gone.catch(() => {})
      return output
    },

    /** Ends whatever still runs. */
    async stop(): Promise<void> {
      const ended = [...running].map(
        (program) => new Promise((done) => program.once('close', done)),
      )
      killAll()
      await Promise.all(ended)
      process.off('exit', killAll)
      process.off('SIGTERM', leave)
      process.off('disconnect', leave)
    },
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has just ended by itself.
  }
}
