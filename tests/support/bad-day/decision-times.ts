import type { Ask, Sent } from './watcher.ts'

/**
 * When a request was decided that waited for its probe, where nothing works behind its back: before
 * the probe was sent. The probe takes nothing for it.
 */
export function decisionTimes(now: () => number, hasBackground: (isolate: number) => boolean) {
  const probing = new WeakSet<Ask>()
  return {
    sent({ isolate, ask, command, at }: Sent): void {
      if (ask === undefined || hasBackground(isolate) || at !== ask.since) return
      if (command.name !== 'INCRBY' && command.demands.every(({ cost }) => cost === 0)) {
        probing.add(ask)
      }
    },
    of: (ask: Ask): number => (probing.has(ask) ? ask.since : now()),
  }
}
