import type { RedisCommands } from '../../src/stores/redis-protocol/redis-commands.ts'

/** A command on its way: sent, not yet executed, or executed and not yet answered. */
export interface Sent {
  readonly from: string
  readonly command: string
  executed: boolean
  execute(): void
  deliver(): void
}

/** A client whose commands wait in `wire` until somebody executes and then delivers them. */
export function wiredClient(client: RedisCommands, from: string, wire: Sent[]): RedisCommands {
  const send = (command: string, act: () => Promise<unknown>): Promise<unknown> =>
    new Promise((resolve, reject) => {
      let answer: Promise<unknown> | undefined
      wire.push({
        from,
        command,
        executed: false,
        execute() {
          answer = act()
          this.executed = true
        },
        deliver() {
          wire.splice(wire.indexOf(this), 1)
          answer?.then(resolve, reject)
        },
      })
    })
  return {
    evalsha: (sha, keys, args) => send('script', () => client.evalsha(sha, keys, args)),
    eval: (text, keys, args) => send('script', () => client.eval(text, keys, args)),
    incrby: (key, units) => send('incrby', () => client.incrby(key, units)),
  }
}
