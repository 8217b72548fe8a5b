import type { Socket } from 'node:net'
import { random } from '../../../src/simulation/random.ts'
import { type Fault, faultOfCall, NO_FAULT, type Schedule } from './fault.ts'
import { httpWire } from './http-wire.ts'
import { relay } from './relay.ts'
import { reopenablePort, track } from './reopenable-port.ts'
import { respWire } from './resp-wire.ts'
import type { Wire } from './wire.ts'

export interface FaultProxyOptions {
  /** The server behind: `http://127.0.0.1:8080` or `redis://127.0.0.1:6379`. */
  readonly url: string
  /**
   * The same seed draws the same delays, and the same calls to fail.
   * @default 1
   */
  readonly seed?: number
}

/**
 * A port in front of a server, for HTTP/1.1 or RESP, that injects faults. To cut off one isolate of
 * several, give each a proxy of its own.
 */
export interface FaultProxy {
  /** The URL of the server, with the port of the proxy. */
  readonly url: string
  /** How many connections of clients are open. */
  readonly sockets: number
  /** How many calls have arrived, without those that set up a connection. */
  readonly calls: number
  /** Sets what calls meet from now on. It is in force when the promise resolves. */
  set(fault: Fault): Promise<void>
  /** Ends all connections, timers and calls that hang. */
  close(): Promise<void>
}

/** Starts a proxy that passes everything on. */
export async function faultProxy({ url, seed = 1 }: FaultProxyOptions): Promise<FaultProxy> {
  const target = new URL(url)
  const { hostname: host, port: targetPort } = target
  const wire = target.protocol.startsWith('redis') ? respWire : httpWire
  const { next } = random(seed, 'faults')
  const servers = new Set<Socket>()
  const timers = new Set<NodeJS.Timeout>()
  let fault: Fault = NO_FAULT
  /** Let the calls that hang go on. */
  const resumes: (() => void)[] = []
  let nextFlap: NodeJS.Timeout | undefined
  let calls = 0
  /** One change after the other: to stop listening takes a turn of the event loop. */
  let changed: Promise<void> = Promise.resolve()

  const door = await reopenablePort((client) => {
    const server = relay(client, {
      wire,
      host,
      port: Number(targetPort),
      random: next,
      wait,
      hangEnd: () => new Promise((resolve) => resumes.push(resolve)),
      nextFault: () => faultOfCall(fault, next),
      onCall: () => calls++,
    })
    track(server, servers)
  })
  target.port = `${door.port}`

  function wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        timers.delete(timer)
        resolve()
      }, ms)
      timers.add(timer)
    })
  }

  function apply(to: Fault): Promise<void> {
    changed = changed.then(async () => {
      fault = to
      for (const resume of resumes.splice(0)) resume()
      await (to.kind === 'refuse' ? door.close() : door.open())
    })
    return changed
  }

  function flap(schedule: Schedule, isDown: boolean): Promise<void> {
    const ms = isDown ? schedule.downMs : schedule.upMs
    nextFlap = setTimeout(() => void flap(schedule, !isDown), ms)
    return apply(isDown ? schedule.fault : NO_FAULT)
  }

  return {
    url: target.href.replace(/\/$/, ''),
    get sockets() {
      return door.connections.size
    },
    get calls() {
      return calls
    },
    async set(to) {
      assertPossible(to, wire)
      clearTimeout(nextFlap)
      await (to.kind === 'flap' ? flap(to, true) : apply(to))
    },
    async close() {
      clearTimeout(nextFlap)
      await changed
      for (const timer of timers) clearTimeout(timer)
      for (const server of servers) server.destroy()
      await door.close()
    },
  }
}

/** Throws if the protocol has no such answer. */
function assertPossible(fault: Fault, wire: Wire): void {
  if (fault.kind === 'some' || fault.kind === 'flap') assertPossible(fault.fault, wire)
  if (fault.kind === 'status' || fault.kind === 'error') wire.forge(fault)
}
