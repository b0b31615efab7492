import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { methods } from '../methods/table.ts';
import { table3, table4 } from './classification.ts';
import { table2 } from './deployment.ts';
import { loggedRuns, measuredFor } from './measured.ts';
import { table1 } from './overview.ts';
import { parseRows } from './table.ts';
import { table5, table6, table7 } from './tasks.ts';

const tables = [table1, table2, table3, table4, table5, table6, table7];

test('every row has all cells of its table, and names only methods that exist', () => {
  const ids = new Set(methods.map(({ id }) => id));
  for (const { number, columns, rows } of tables)
    for (const { method, cells, id } of rows) {
      expect([number, method, cells.length]).toEqual([number, method, columns.length]);
      if (id) expect(ids).toContain(id);
    }
});

test('the tables are whole: rows as printed', () => {
  expect(tables.map(({ rows }) => rows.length)).toEqual([36, 25, 40, 59, 9, 10, 20]);
});

test('every method of table 1 is one of ours', () => {
  expect(table1.rows.filter(({ id }) => id === null)).toEqual([]);
});

test('lines are read with group, reference and repeated method', () => {
  expect(parseRows('# g\nA b [12] | x | id\n" | y |')).toEqual([
    { group: 'g', method: 'A b', reference: '12', cells: ['x'], id: 'id' },
    { group: 'g', method: 'A b', reference: '12', cells: ['y'], id: null },
  ]);
});

test('the measured column is the best finished recipe of that method and topology, the mean of its seeds', () => {
  const folder = mkdtempSync(join(tmpdir(), 'signum-results-'));
  try {
    const log = (
      name: string,
      method: string,
      accuracy: number,
      epochs: number,
      width = 1,
      seed = 1,
      batch = 128,
      originalPixels: boolean | undefined = true,
    ) => {
      mkdirSync(join(folder, name), { recursive: true });
      writeFileSync(
        join(folder, name, 'config.json'),
        JSON.stringify({ model: 'resnet20', method, width, data: 'cifar10', epochs, batch, seed }),
      );
      const lines = [0, 1].map((epoch) =>
        JSON.stringify({ epoch, testAccuracy: accuracy, originalPixels, layers: [] }),
      );
      writeFileSync(join(folder, name, 'metrics.jsonl'), `${lines.join('\n')}\n`);
    };
    log('a', 'dorefa', 0.8, 2);
    log('b', 'dorefa', 0.85, 2, 1, 1, 64);
    log('unfinished', 'dorefa', 0.9, 3);
    log('recompressed', 'dorefa', 0.95, 2, 1, 1, 32, false);
    mkdirSync(join(folder, 'no run'));
    const row = table3.rows.find(({ id }) => id === 'dorefa')!;
    expect(measuredFor(row, loggedRuns(folder))).toMatchObject({ accuracy: 0.85, epochs: 2 });
    expect(measuredFor(table3.rows.find(({ id }) => id === 'bnn')!, loggedRuns(folder))).toBeNull();
    log('c', 'ir-net', 0.7, 2);
    const irNet = table3.rows.filter(({ id, cells }) => id === 'ir-net' && cells[1] === 'ResNet-20');
    // 1/32 is another network than the 1/1 that ran
    expect(irNet.map((candidate) => measuredFor(candidate, loggedRuns(folder))?.accuracy)).toEqual([undefined, 0.7]);
    // a narrower network stands in only where the row's own width was never trained
    log('comparison/runs/narrow', 'dorefa', 0.95, 2, 0.5);
    log('comparison/runs/bbg', 'bbg', 0.5, 2, 0.5);
    expect(measuredFor(row, loggedRuns(folder))).toMatchObject({ accuracy: 0.85, relativeWidth: 1 });
    const bbg = table3.rows.filter(({ id }) => id === 'bbg').map((line) => measuredFor(line, loggedRuns(folder)));
    expect(bbg).toEqual([expect.objectContaining({ accuracy: 0.5, relativeWidth: 0.5 }), null, null]);
    log('comparison/runs/bbg2', 'bbg', 0.6, 2, 0.5, 2);
    const bbgRow = table3.rows.find(({ id }) => id === 'bbg')!;
    expect(measuredFor(bbgRow, loggedRuns(folder))).toMatchObject({
      accuracy: 0.55,
      folders: [expect.stringMatching(/bbg$/), expect.stringMatching(/bbg2$/)],
    });
    expect(loggedRuns(join(folder, 'missing'))).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
