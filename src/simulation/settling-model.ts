import type { Clock } from '../clock.ts'
import type { Life } from './life.ts'

/** The hash beside a key whose units are settled. */
interface Hash {
  readonly name: string
  settled: number
  readonly ids: Set<string>
  readonly endsAt: number
}

/** What the scripts for settlements need of the model of Redis. */
interface Keys {
  readonly clock: Clock
  readonly life: (key: string) => Life | undefined
  readonly evict: (key: string) => void
  readonly take: (
    keys: readonly string[],
    args: readonly string[],
  ) => readonly (readonly number[])[]
  /** Notes commands that are billed. */
  readonly bill: (commands: number) => void
}

/** The scripts of ../stores/redis-protocol/settling-scripts.ts by their meaning. */
export function settlingModel({ clock, life, evict, take, bill }: Keys) {
  const hashes = new Map<string, Hash>()

  function hashOf(key: string): Hash | undefined {
    const hash = hashes.get(key)
    if (hash === undefined || clock() <= hash.endsAt) return hash
    hashes.delete(key)
    return undefined
  }

  return {
    take(
      all: readonly string[],
      args: readonly string[],
    ): readonly (readonly (string | number)[])[] {
      const keys = all.slice(0, all.length / 2)
      const before = keys.map(life)
      const answer = take(keys, args.slice(keys.length))
      const accounts = keys.map((key, index): (string | number)[] => {
        const [name = '', hashKey = ''] = [args[index], all[keys.length + index]]
        const now = life(key)
        const left = now?.endsAt === undefined ? 0 : now.endsAt - clock()
        if (name === '' || left < 1 || now?.count === 0) return ['', 0]
        const isOpen = before[index] !== undefined && before[index] === now
        bill(isOpen ? 1 : 0)
        const known = isOpen ? hashOf(hashKey) : undefined
        if (known) return [known.name, known.settled]
        bill(3)
        hashes.set(hashKey, { name, settled: 0, ids: new Set(), endsAt: clock() + left })
        return [name, 0]
      })
      return answer.map((grant, index) => [...grant, ...(accounts[index] ?? [])])
    },

    settle(keys: readonly string[], args: readonly string[]): readonly number[] {
      bill(1)
      return Array.from({ length: keys.length / 2 }, (_, index) => {
        const [key = '', hashKey = ''] = keys.slice(2 * index)
        const [name, id = '', reserved = 0, used = 0] = args.slice(4 * index)
        const hash = hashOf(hashKey)
        bill(1)
        if (hash === undefined || hash.name !== name) return 0
        const open = life(key)
        bill(1)
        if (open === undefined || open.count === 0) return 0
        bill(1)
        if (hash.ids.has(id)) return 0
        hash.ids.add(id)
        open.count += Number(used) - Number(reserved)
        hash.settled += Number(used)
        bill((used === reserved ? 0 : 1) + (used === '0' ? 0 : 1))
        return 1
      })
    },

    reset(keys: readonly string[]): number {
      bill(2)
      for (const key of keys) {
        evict(key)
        hashes.delete(key)
      }
      return keys.length
    },
  }
}
