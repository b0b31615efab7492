/** Typed arrays by kind and length, kept for reuse, so that a training step allocates nothing after the first. */
type Kind = 'float' | 'word' | 'int';
type ArrayOf<K extends Kind> = K extends 'float' ? Float32Array : K extends 'word' ? Uint32Array : Int32Array;
type AnyArray = Float32Array | Uint32Array | Int32Array;

const constructors = { float: Float32Array, word: Uint32Array, int: Int32Array };
const kindOf = (array: AnyArray): Kind =>
  array instanceof Float32Array ? 'float' : array instanceof Uint32Array ? 'word' : 'int';

/** Of the arrays of the largest step so many times as much is kept: those of a training step and of an evaluation lie side by side. */
const kept = 2;

class StoragePool {
  private readonly free = new Map<string, AnyArray[]>();
  /** All arrays of the pool, with the turn that last used them. */
  private readonly usedIn = new Map<AnyArray, number>();
  private turn = 0;
  /** Bytes of the arrays used in this turn, and the most of any turn. */
  private footprint = 0;
  private largest = 0;
  /** Arrays ever created; constant once a loop has warmed up. */
  created = 0;
  /** Bytes of all arrays it holds: the pool's share of resident memory. */
  bytes = 0;

  take<K extends Kind>(kind: K, length: number): ArrayOf<K> {
    const reused = this.free.get(`${kind}${length}`)?.pop();
    const array = (reused ?? this.create(kind, length)) as ArrayOf<K>;
    if (this.usedIn.get(array) !== this.turn) {
      this.usedIn.set(array, this.turn);
      this.footprint += array.byteLength;
    }
    return array;
  }

  private create(kind: Kind, length: number): AnyArray {
    const array = new constructors[kind](length);
    this.created++;
    this.bytes += array.byteLength;
    return array;
  }

  /** Forgets the arrays nobody uses: the next network has others. */
  clear(): void {
    this.free.clear();
    this.usedIn.clear();
    this.bytes = this.footprint = this.largest = 0;
  }

  give(array: AnyArray): void {
    const key = `${kindOf(array)}${array.length}`;
    const list = this.free.get(key);
    if (list) list.push(array);
    else this.free.set(key, [array]);
  }

  /** When all arrays are back: forgets those that were not used for longest, where batches of other sizes have left too many. */
  endTurn(): void {
    this.largest = Math.max(this.largest, this.footprint);
    this.footprint = 0;
    this.turn++;
    const limit = kept * this.largest;
    if (this.bytes <= limit) return;
    for (const [array] of [...this.usedIn].sort(([, a], [, b]) => a - b)) {
      if (this.bytes <= limit) break;
      this.forget(array);
    }
  }

  private forget(array: AnyArray): void {
    const list = this.free.get(`${kindOf(array)}${array.length}`);
    const place = list?.indexOf(array) ?? -1;
    if (place < 0) return;
    list!.splice(place, 1);
    this.usedIn.delete(array);
    this.bytes -= array.byteLength;
  }
}

export const pool = new StoragePool();

/** The arrays handed out since a scope was opened; all return to the pool when it closes. */
let scope: Set<AnyArray> | null = null;

function allocate<K extends Kind>(kind: K, length: number): ArrayOf<K> {
  if (scope === null) return new constructors[kind](length) as ArrayOf<K>;
  const array = pool.take(kind, length);
  scope.add(array);
  return array;
}

/** Uninitialised floats that live until released or until the scope ends. */
export const floats = (length: number): Float32Array => allocate('float', length);
/** Uninitialised packed bits, likewise. */
export const words = (length: number): Uint32Array => allocate('word', length);
/** Uninitialised integers, likewise. */
export const integers = (length: number): Int32Array => allocate('int', length);

/** Gives an array back before its scope ends; arrays of nobody's scope are left alone. */
export function release(array: AnyArray): void {
  if (scope?.delete(array)) pool.give(array);
}

/** Runs `body`; everything allocated inside returns to the pool afterwards, so copy out what must survive. */
export function withScope<T>(body: () => T): T {
  const outer = scope;
  const mine = new Set<AnyArray>();
  scope = mine;
  try {
    return body();
  } finally {
    for (const array of mine) pool.give(array);
    scope = outer;
    if (outer === null) pool.endTurn();
  }
}
