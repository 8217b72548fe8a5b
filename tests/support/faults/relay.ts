import { connect, type Socket } from 'node:net'
import { type CallFault, drawDelay, NO_FAULT } from './fault.ts'
import { reset } from './reopenable-port.ts'
import type { Wire } from './wire.ts'

export interface RelayOptions {
  readonly wire: Wire
  readonly host: string
  readonly port: number
  /** Decides what a call meets, when it arrives. */
  readonly nextFault: () => CallFault
  /** Resolves when hanging ends. */
  readonly hangEnd: () => Promise<void>
  readonly wait: (ms: number) => Promise<void>
  /** Called for each call that is no part of a handshake. */
  readonly onCall: () => void
  readonly random: () => number
}

/** A call that has been passed on, or is not going to be. */
interface Started {
  readonly answer: Promise<Buffer>
  readonly deliver: (answer: Buffer) => void
}

/**
 * Passes the calls of one client on over a connection of its own, and the answers back, both in
 * order. Returns that connection.
 */
export function relay(client: Socket, options: RelayOptions): Socket {
  const { wire, host, port, nextFault, hangEnd, wait, onCall, random } = options
  const server = connect({ host, port, noDelay: true })
  const expected: ((answer: Buffer) => void)[] = []
  let sending: Promise<unknown> = Promise.resolve()
  let answering: Promise<unknown> = Promise.resolve()
  let underWay = 0

  const splitCalls = wire.calls()
  client.on('data', (bytes) => {
    for (const call of splitCalls(bytes)) accept(call, faultOf(call))
  })
  const splitAnswers = wire.answers()
  server.on('data', (bytes) => {
    for (const answer of splitAnswers(bytes)) expected.shift()?.(answer)
  })
  client.on('close', endServer)
  server.on('close', () => client.destroy())

  /** What a client has sent still runs after it has hung up. */
  function endServer() {
    if (client.destroyed && underWay === 0) server.destroy()
  }

  function faultOf(call: Buffer): CallFault {
    const isHandshake = wire.isHandshake(call)
    if (!isHandshake) onCall()
    const fault = nextFault()
    const meetsAll = fault.kind === 'hang' || fault.kind === 'error'
    return meetsAll || !isHandshake ? fault : NO_FAULT
  }

  function accept(call: Buffer, fault: CallFault): void {
    underWay++
    // Begins now: calls that arrive together wait side by side.
    const due = waitFor(fault)
    const started = sending.then(() => start(call, fault, due))
    sending = started
    const before = answering
    answering = started.then(async ({ answer, deliver }) => {
      const bytes = await answer
      await before
      deliver(bytes)
      underWay--
      endServer()
    })
  }

  function waitFor(fault: CallFault): Promise<void> | undefined {
    if (fault.kind === 'hang') return hangEnd()
    return fault.kind === 'slow' ? wait(drawDelay(fault.delay, random)) : undefined
  }

  async function start(
    call: Buffer,
    fault: CallFault,
    due: Promise<void> | undefined,
  ): Promise<Started> {
    switch (fault.kind) {
      case 'none':
        return { answer: pass(call), deliver: reply }
      case 'refuse':
        return { answer: Promise.resolve(call), deliver: cutOff }
      case 'reset':
        return { answer: pass(call), deliver: cutOff }
      case 'cut':
        return { answer: pass(call), deliver: (bytes) => client.end(wire.half(bytes)) }
      case 'status':
      case 'error':
        return { answer: Promise.resolve(wire.forge(fault)), deliver: reply }
      case 'garbage':
        return { answer: Promise.resolve(garbage(random)), deliver: reply }
      case 'hang':
        await due
        if (fault.afterwards === 'drop') return { answer: Promise.resolve(call), deliver: cutOff }
        return { answer: pass(call), deliver: reply }
      case 'slow': {
        if (fault.holds === 'call') await due
        const passed = pass(call)
        return { answer: Promise.resolve(due).then(() => passed), deliver: reply }
      }
    }
  }

  function pass(call: Buffer): Promise<Buffer> {
    server.write(call)
    return new Promise((resolve) => expected.push(resolve))
  }

  function reply(bytes: Buffer): void {
    if (client.writable) client.write(bytes)
  }

  const cutOff = () => reset(client)

  return server
}

/** Begins with a byte that begins no answer in HTTP or RESP. */
function garbage(random: () => number): Buffer {
  const bytes = Array.from({ length: 40 }, () => Math.floor(random() * 256))
  return Buffer.from([0, ...bytes, 0x0d, 0x0a])
}
