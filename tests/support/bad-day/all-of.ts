import type { Watcher } from './watcher.ts'

/** One watcher that passes everything on to several, in their order. */
export function allOf(watchers: readonly Watcher[]): Required<Watcher> {
  const tell = <Name extends keyof Watcher>(name: Name) => {
    const listeners = watchers.flatMap((watcher) => {
      const listener = watcher[name]
      return listener ? [listener as (...args: never[]) => void] : []
    })
    return (...args: Parameters<Required<Watcher>[Name]>) => {
      for (const listener of listeners) listener(...(args as never[]))
    }
  }
  return {
    sent: tell('sent'),
    executed: tell('executed'),
    answered: tell('answered'),
    rejected: tell('rejected'),
    unknownHash: tell('unknownHash'),
    failed: tell('failed'),
    granted: tell('granted'),
    decided: tell('decided'),
    reported: tell('reported'),
    died: tell('died'),
    settled: tell('settled'),
    quiet: tell('quiet'),
  }
}
