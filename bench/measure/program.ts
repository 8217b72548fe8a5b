import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

/** A program of the bench in a process of its own, which answers one question at a time. */
export interface Program {
  ask(question: object): Promise<unknown>
  stop(): Promise<void>
}

export interface ProgramOptions {
  /** Flags of Node. */
  readonly flags?: readonly string[]
  /** Keeps what it writes from the console. */
  readonly quiet?: boolean
}

export interface Started {
  readonly program: Program
  /** What it said when it was ready. */
  readonly said: unknown
  /** What a quiet one has written to its standard error. */
  readonly complaints: () => string
}

/**
 * Starts a program that says something when it is ready, answers each message with one, and ends
 * when nobody is connected to it any more.
 */
export async function startProgram(
  file: URL,
  args: readonly string[],
  { flags = [], quiet = false }: ProgramOptions = {},
): Promise<Started> {
  const child = fork(file, args, { execArgv: [...flags], silent: quiet })
  let complaints = ''
  child.stdout?.resume()
  child.stderr?.on('data', (chunk) => {
    complaints += chunk
  })
  const said = await answerOf(child)
  const program: Program = {
    ask(question) {
      child.send(question)
      return answerOf(child)
    },
    async stop() {
      if (!child.connected) return
      const ended = once(child, 'exit')
      child.disconnect()
      await ended
    },
  }
  return { program, said, complaints: () => complaints }
}

function answerOf(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`${child.spawnfile} ended: ${code}`))
    child.once('exit', ended)
    child.once('message', (message) => {
      child.off('exit', ended)
      resolve(message)
    })
  })
}
