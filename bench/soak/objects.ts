import type { ObjectNamespace } from '../../src/durable-object.ts'

/** What calls of Durable Objects meet. No proxy can stand between a Worker and its objects. */
export type ObjectFault = 'none' | 'hang' | 'overloaded' | 'lost'

/** A binding whose objects meet faults. */
export function faultyObjects(
  namespace: ObjectNamespace,
  fault: () => ObjectFault,
): ObjectNamespace {
  return {
    idFromName: (name) => namespace.idFromName(name),
    get(id, options) {
      switch (fault()) {
        case 'none':
          return namespace.get(id, options)
        case 'hang':
          return { take: () => new Promise(() => {}) }
        case 'overloaded':
          return failing({ overloaded: true, remote: true })
        case 'lost':
          return failing({ retryable: true })
      }
    },
  }
}

const failing = (properties: object) => ({
  take: () => Promise.reject(Object.assign(new Error('the object failed'), properties)),
})
