import type { Clock } from '../../src/clock.ts'
import { memory } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'
import { manualClock, type Subject } from '../../src/testing/index.ts'
import { able } from './able.ts'
import type { Shiftable } from './differential.ts'
import { pause } from './pause.ts'
import type { Endpoint } from './servers.ts'

/** Memory, whose time is moved by hand. */
export function memorySubject(): Subject & { readonly clock: Clock } {
  const clock = manualClock()
  const maxKeys = 100
  const store = able(memory({ clock, maxKeys }))
  return {
    store,
    clock,
    elapse: clock.advance,
    async flush() {
      // The exhausted fillers evict exhausted clients, the others all others.
      for (let filler = 0; filler < 2 * maxKeys; filler++) {
        const [client, limit] = [`filler-${filler}`, filler < maxKeys ? 1 : 2]
        await store.take([{ policy: 'conformance', client, limit, window: 60_000, cost: 1 }])
      }
    },
    // The nearest that memory comes to a window without an end: its clock set back.
    loseExpiry: () => clock.advance(-86_400_000),
  }
}

/** What a test tells a store over Redis. */
interface StoreOptions {
  readonly prefix: string
}

/** `clock` is the clock of a guard around the store. It moves when the subject shifts its keys. */
type MakeStore = (endpoint: Endpoint, options: StoreOptions, clock: Clock) => Store

/** A store behind a gateway, with the clock of a real Redis, and a store that cannot be reached. */
export function behind(endpoint: () => Endpoint, makeStore: MakeStore) {
  return {
    make: () => gatewaySubject(endpoint(), makeStore),
    unreachable: () =>
      makeStore({ url: 'http://127.0.0.1:9', token: 'token' }, { prefix: 'unreachable' }, Date.now),
  }
}

function gatewaySubject(endpoint: Endpoint, makeStore: MakeStore) {
  const command =
    (name: string) =>
    (key: string, ...args: (string | number)[]) =>
      redisCommand(endpoint, name, key, ...args.map(String)) as Promise<never>
  const connection = {
    keys: command('KEYS'),
    del: command('DEL'),
    persist: command('PERSIST'),
    pttl: command('PTTL'),
    pexpire: command('PEXPIRE'),
  }
  return clientSubject(connection, (options, clock) => makeStore(endpoint, options, clock))
}

/** What a subject needs of a connection of its own to the Redis behind a store. */
interface Connection {
  keys(pattern: string): Promise<string[]>
  del(key: string): Promise<unknown>
  persist(key: string): Promise<unknown>
  pttl(key: string): Promise<number>
  pexpire(key: string, ms: number): Promise<unknown>
}

/** A store over TCP, whose keys are looked after through a connection to the same Redis. */
export function clientSubject(
  connection: Connection,
  makeStore: (options: StoreOptions, clock: Clock) => Store,
): Subject & Shiftable {
  let shifted = 0
  const options = { prefix: `test-${crypto.randomUUID()}` }
  const clock = () => Date.now() + shifted
  const forEachKey = async (act: (key: string) => Promise<unknown>) => {
    for (const key of await connection.keys(`${options.prefix}:*`)) await act(key)
  }
  return {
    store: able(makeStore(options, clock)),
    elapse: wait,
    flush: () => forEachKey((key) => connection.del(key)),
    loseExpiry: () => forEachKey((key) => connection.persist(key)),
    shift(ms) {
      shifted += ms
      return forEachKey(async (key) => connection.pexpire(key, (await connection.pttl(key)) - ms))
    },
    close: () => forEachKey((key) => connection.del(key)),
  }
}

/** Waits `ms` and not a moment less: a timer of Node may go off a millisecond early. */
async function wait(ms: number): Promise<void> {
  const end = performance.now() + ms
  for (let left = ms; left > 0; left = end - performance.now()) {
    await pause(left)
  }
}

/** One command to the Redis behind a gateway, from whatever runtime the test is in. */
export async function redisCommand({ url, token }: Endpoint, ...command: string[]) {
  const headers = { authorization: `Bearer ${token}` }
  const body = JSON.stringify(command)
  const response = await fetch(url, { method: 'POST', headers, body })
  const { result, error } = (await response.json()) as { result?: unknown; error?: string }
  if (error) throw new Error(error)
  return result
}
