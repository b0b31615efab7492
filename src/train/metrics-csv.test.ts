import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { metricsCsv } from './metrics-csv.ts';
import { type EpochMetrics, RunFolder } from './run-folder.ts';

const line = (epoch: number): EpochMetrics => ({
  epoch,
  step: 10 * (epoch + 1),
  rate: 0.1,
  trainLoss: 2 - epoch,
  trainAccuracy: 0.25,
  testLoss: 1.5,
  testAccuracy: 0.5,
  testTop5: 0.875,
  imagesPerSecond: 400,
  seconds: 3,
  layers: [],
});

test('a line per epoch under the names of its columns; validation only where there is one', () => {
  expect(metricsCsv([line(0), line(1)])).toBe(
    'epoch,step,rate,trainLoss,trainAccuracy,testLoss,testAccuracy,testTop5,imagesPerSecond,seconds\n' +
      '0,10,0.1,2,0.25,1.5,0.5,0.875,400,3\n1,20,0.1,1,0.25,1.5,0.5,0.875,400,3\n',
  );
  expect(metricsCsv([{ ...line(0), validationLoss: 1, validationAccuracy: 0.75 }])).toMatch(/,0\.875,1,0\.75,400,3\n$/);
});

test('the file follows the log, also when a resumed run drops lines', () => {
  const directory = mkdtempSync(join(tmpdir(), 'signum-csv-'));
  try {
    const folder = new RunFolder(directory);
    folder.appendMetrics(line(0));
    folder.appendMetrics(line(1));
    expect(readFileSync(folder.file('metrics.csv'), 'utf8')).toBe(metricsCsv([line(0), line(1)]));
    folder.keepMetricsBefore(1);
    expect(readFileSync(folder.file('metrics.csv'), 'utf8')).toBe(metricsCsv([line(0)]));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
