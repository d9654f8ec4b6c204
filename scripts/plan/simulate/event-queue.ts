/** Events in the order of their times; those of the same time in the order in which they were added. */
export interface EventQueue {
  add(atSeconds: number, run: (atSeconds: number) => void): void;
  /** Runs all events, those that are added meanwhile too, until there is none left. */
  runAll(): void;
}

interface Event {
  at: number;
  number: number;
  run: (atSeconds: number) => void;
}

/** A binary heap. */
export function createEventQueue(): EventQueue {
  const heap: Event[] = [];
  let added = 0;
  const isBefore = (a: Event, b: Event) => a.at < b.at || (a.at === b.at && a.number < b.number);

  function rise(event: Event): void {
    let index = heap.push(event) - 1;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above];
      if (!parent || !isBefore(event, parent)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = event;
  }

  function sink(event: Event): void {
    let index = 0;
    for (;;) {
      const [left, right] = [heap[2 * index + 1], heap[2 * index + 2]];
      const child = left && right && isBefore(right, left) ? right : left;
      if (!child || isBefore(event, child)) break;
      heap[index] = child;
      index = 2 * index + (child === left ? 1 : 2);
    }
    heap[index] = event;
  }

  function takeFirst(): Event | undefined {
    const [first] = heap;
    const last = heap.pop();
    if (first && last && first !== last) sink(last);
    return first;
  }

  return {
    add: (at, run) => rise({ at, number: added++, run }),
    runAll() {
      for (let event = takeFirst(); event; event = takeFirst()) event.run(event.at);
    },
  };
}
