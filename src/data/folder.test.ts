import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp, { type Sharp } from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Batches } from './batches.ts';
import { checkClasses } from './dataset.ts';
import { loadFolder } from './folder.ts';
import { openLoader } from './loader.ts';
import { loadDataSet } from './table.ts';

let directory = '';
let lines: string[] = [];
const tell = (line: string) => lines.push(line);
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'signum-folder-'));
  lines = [];
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const picture = (red = 90): Sharp =>
  sharp({ create: { width: 24, height: 16, channels: 3, background: { r: red, g: 10, b: 200 } } });
const png = await picture().png().toBuffer();

function put(name: string, content: Uint8Array | string = png): void {
  mkdirSync(dirname(join(directory, name)), { recursive: true });
  writeFileSync(join(directory, name), content);
}

/** `each` pictures of cats and of dogs to train and to test. */
function cleanSet(each = 2): void {
  for (const part of ['train', 'test'])
    for (const name of ['cats', 'dogs']) for (let i = 0; i < each; i++) put(`${part}/${name}/${i}.png`);
}

const names = (files: readonly string[]) => files.map((file) => file.slice(directory.length + 1));

test('what systems leave in folders, texts, links and nested folders: every picture counts, the rest is named in one line', async () => {
  cleanSet();
  put('train/.DS_Store', 'x');
  put('train/.ipynb_checkpoints/0-checkpoint.png');
  put('train/__MACOSX/cats/._0.png', 'x');
  put('train/cats/._0.png', 'Mac OS X');
  put('train/cats/Thumbs.db', 'x');
  put('train/cats/notes.txt', 'cats');
  put('train/cats/IMG_0001');
  put('train/cats/2019/summer/1.PNG');
  put('train/readme.md', 'x');
  put('test/later/.gitkeep', '');
  symlinkSync(join(directory, 'train/cats'), join(directory, 'train/cats/loop'));
  symlinkSync(join(directory, 'train/dogs/0.png'), join(directory, 'train/dogs/linked.png'));
  const data = await loadFolder(directory, 16, { tell });
  expect(data.classes).toEqual(['cats', 'dogs']);
  expect(names(data.train.files)).toEqual([
    'train/cats/0.png',
    'train/cats/1.png',
    'train/cats/2019/summer/1.PNG',
    'train/cats/IMG_0001',
    'train/dogs/0.png',
    'train/dogs/1.png',
    'train/dogs/linked.png',
  ]);
  expect([...data.train.labels]).toEqual([0, 0, 0, 0, 1, 1, 1]);
  expect(lines).toEqual([
    `${directory}: 11 images, 2 classes, 10 skipped (train/.DS_Store, train/.ipynb_checkpoints, train/__MACOSX, and 7 more)`,
  ]);
  expect(data.skipped).toContainEqual({ name: 'test/later', reason: 'an empty folder' });
  expect(data.skipped).toContainEqual({ name: 'train/cats/loop/', reason: 'a link to a folder above it' });
});

test.each([
  ['an empty file', '', /train\/cats\/x\.png: the file is empty/],
  ['a cut header', png.subarray(0, 20), /train\/cats\/x\.png: a PNG file, but it ends within its header/],
  ['a page saved as a picture', '<!DOCTYPE html><html>', /x\.png: a web page, which is not read/],
  ['random bytes', 'no picture at all', /x\.png: it does not begin as a JPEG, PNG, GIF, WebP, TIFF, AVIF file/],
  ['a header without its picture', png.subarray(0, 60), /x\.png: .*(end|corrupt|read)/i],
] as const)(
  '%s is found at the start, refused, or left out when the share is allowed',
  async (_what, content, message) => {
    cleanSet();
    put('train/cats/x.png', content);
    await expect(loadFolder(directory, 16)).rejects.toThrow(message);
    await expect(loadFolder(directory, 16)).rejects.toThrow(
      /1 of 9 pictures .*more than 1 %[\s\S]*--allow-broken 0\.112/,
    );
    const data = await loadFolder(directory, 16, { allowBroken: 0.112, tell });
    expect([data.train.count, data.test.count]).toEqual([4, 4]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/: 8 images, 2 classes, 1 skipped \(train\/cats\/x\.png: /);
  },
);

test('links to nothing are broken pictures; up to 1 % of them is left out without being asked', async () => {
  cleanSet(26);
  symlinkSync('/nowhere/1.png', join(directory, 'test/dogs/gone.png'));
  const data = await loadFolder(directory, 8, { tell });
  expect(data.test.count).toBe(52);
  expect(lines[0]).toMatch(/104 images, 2 classes, 1 skipped \(test\/dogs\/gone\.png: a link to nothing\)/);
  symlinkSync('/nowhere/2.png', join(directory, 'train/dogs/gone.png'));
  await expect(loadFolder(directory, 8)).rejects.toThrow(
    /2 of 106 pictures .*\n.*train\/dogs\/gone.*\n.*test\/dogs\/gone/,
  );
});

describe('every class has pictures', () => {
  beforeEach(() => cleanSet());
  test('to train on', async () => {
    mkdirSync(join(directory, 'train/owls'));
    await expect(loadFolder(directory, 8)).rejects.toThrow(/no pictures in train\/ of owls/);
  });
  test('to test on', async () => {
    put('train/owls/1.png');
    await expect(loadFolder(directory, 8)).rejects.toThrow(/no test pictures of owls/);
  });
  test('and none is only tested', async () => {
    put('test/owls/1.png');
    await expect(loadFolder(directory, 8)).rejects.toThrow(
      /test\/ has pictures of owls, of which train\/ has no folder/,
    );
  });
  test('or the layout is explained', async () => {
    rmSync(join(directory, 'test'), { recursive: true });
    await expect(loadFolder(directory, 8)).rejects.toThrow(/has train\/ but none of test\/, val\//);
    await expect(loadFolder(join(directory, 'train', 'cats'), 8)).rejects.toThrow(
      /folder of pictures per class, at least two; found none/,
    );
  });
});

test('a flat folder gives a fifth to the test, by seed and name: a new file moves no old one', async () => {
  for (let i = 0; i < 150; i++) put(`${i % 2 ? 'dogs' : 'cats'}/${i}.png`);
  const before = await loadFolder(directory, 8, { tell });
  expect(before.test.count).toBeGreaterThan(15);
  expect(before.test.count).toBeLessThan(45);
  expect(lines[0]).toBe(`${directory}: 150 images, 2 classes, ${before.test.count} of them kept for the test`);
  for (let i = 150; i < 160; i++) put(`${i % 2 ? 'dogs' : 'cats'}/0${i}.png`);
  const after = await loadFolder(directory, 8);
  expect(new Set(after.test.files)).toEqual(
    new Set([...before.test.files, ...after.test.files.filter((file) => /0\d+\.png/.test(file))]),
  );
  expect(before.train.files.every((file) => after.train.files.includes(file))).toBe(true);
  const other = await loadFolder(directory, 8, { splitSeed: 2 });
  expect(new Set(other.test.files)).not.toEqual(new Set(after.test.files));
});

test('every raster kind that the decoder reads, under any ending; a drawing is skipped', async () => {
  cleanSet(1);
  const kinds = { jpeg: 'jfif', png: 'x', webp: 'webp', gif: 'gif', tiff: 'tif', avif: 'avif' } as const;
  for (const [kind, ending] of Object.entries(kinds))
    put(`train/cats/${kind}.${ending}`, await picture()[kind as keyof typeof kinds]().toBuffer());
  const profile = await picture()
    .jpeg()
    .keepExif()
    .withExif({ IFD0: { ImageDescription: 'x'.repeat(30_000) } })
    .toBuffer();
  put('train/cats/exif.jpg', profile);
  put('train/cats/grey.png', await picture().greyscale().png().toBuffer());
  put('train/cats/palette.png', await picture().png({ palette: true }).toBuffer());
  put('train/cats/deep.png', await picture().toColourspace('rgb16').png().toBuffer());
  put('train/cats/alpha.png', await picture().ensureAlpha(0.5).png().toBuffer());
  put('train/cats/cmyk.jpg', await picture().toColourspace('cmyk').jpeg().toBuffer());
  put('train/cats/drawing.svg', '<svg xmlns="http://www.w3.org/2000/svg"/>');
  const data = await loadFolder(directory, 8, { tell });
  expect(data.train.count).toBe(2 + 12);
  expect(lines[0]).toMatch(/1 skipped \(train\/cats\/drawing\.svg: /);
  const { count, images } = await new Batches(data, data.train, 14).plain(0);
  expect([count, images.length]).toEqual([14, 14 * 8 * 8 * 3]);
});

test.runIf(process.platform === 'linux')('names that are not UTF-8, or as long as the system allows', async () => {
  cleanSet();
  const raw = Buffer.concat([
    Buffer.from(join(directory, 'train/cats/')),
    Buffer.from([0x63, 0xe9]),
    Buffer.from('.png'),
  ]);
  writeFileSync(raw, png);
  put(`train/cats/${'é'.repeat(125)}.png`);
  put('train/cats/\u001b[2J.png');
  await expect(loadFolder(directory, 8)).rejects.toThrow(/train\/cats\/cé\.png: its name is not UTF-8; rename it/);
  const data = await loadFolder(directory, 8, { allowBroken: 0.2, tell });
  expect(data.train.count).toBe(6);
  writeFileSync(join(directory, 'train/cats/\u001b]0;x\u0007.jpg'), '');
  const { message } = await loadFolder(directory, 8).then(
    () => new Error('accepted'),
    (error: Error) => error,
  );
  expect(message).toContain('\\u001b]0;x\\u0007.jpg: the file is empty');
  expect(message).not.toMatch(/[^\P{Cc}\n]/u);
});

test('a picture that breaks after the start is left out, named once and counted; only a lost disk ends the training', async () => {
  cleanSet(10);
  const data = await loadFolder(directory, 8, { tell });
  lines = [];
  const broken = join(directory, 'train/cats/3.png');
  writeFileSync(broken, png.subarray(0, 60));
  const order = new Uint32Array([3, 1, 19, 0, 5, 3]);
  const pass = { order, first: 0, augmentation: {}, seed: 3, epoch: 0 };
  const loader = openLoader(data, data.train, 4);
  try {
    for (let epoch = 0; epoch < 2; epoch++) {
      loader.begin({ ...pass, epoch });
      const first = await loader.next();
      expect([first.count, [...first.labels], [...first.places], first.images.length]).toEqual([
        3,
        [0, 1, 0],
        [1, 19, 0],
        3 * 192,
      ]);
      expect(first.images).toEqual((await new Batches(data, data.train, 4).shuffled({ ...pass, epoch }, 0)).images);
      expect((await loader.next()).count).toBe(1);
    }
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/left out, for it cannot be decoded: .*cats\/3\.png \(.+\); 1 of 20 pictures so far/);
    for (let i = 0; i < 10; i++) rmSync(join(directory, `train/dogs/${i}.png`));
    loader.begin({ ...pass, order: new Uint32Array([12, 13, 14, 15]) });
    await expect(loader.next()).rejects.toThrow(/4 of 20 pictures can no longer be decoded.*is the disk still there/);
  } finally {
    loader.close();
  }
});

test('more classes than labels can hold are refused, not wrapped', () => {
  checkClasses('many', 65_536);
  expect(() => checkClasses('many', 65_537)).toThrow(/65537 classes, but labels of 16 bits tell at most 65536 apart/);
});

describe('by path', () => {
  const two = (folder: string) => {
    for (const name of ['a', 'b']) for (const part of ['train', 'val']) put(`${folder}/${part}/${name}/1.png`);
  };
  test('one that exists as given wins over the size', async () => {
    two('set@64');
    two('set');
    expect((await loadDataSet(join(directory, 'set@64'))).shape).toEqual([32, 32, 3]);
    expect((await loadDataSet(join(directory, 'set@48'))).shape).toEqual([48, 48, 3]);
    expect((await loadDataSet(join(directory, 'set@64@16'))).shape).toEqual([16, 16, 3]);
  });
  test.each(['@0', '@5000'])('%s is no size', async (side) => {
    two('set');
    await expect(loadDataSet(join(directory, `set${side}`))).rejects.toThrow(/expected @1 to @4096/);
  });
  test('a file is no data set', async () => {
    put('set.zip', 'PK');
    await expect(loadDataSet(join(directory, 'set.zip'))).rejects.toThrow(/is not a folder/);
  });
});

const found = fileURLToPath(new URL('../../../shared/faults', import.meta.url));
describe.runIf(existsSync(found))('folders that misled it', () => {
  test('AppleDouble files', async () => {
    expect((await loadFolder(join(found, 'appledouble'), 8, { tell })).train.count).toBe(24);
    expect(lines[0]).toMatch(/48 images, 3 classes, 2 skipped \(train\/cat\/\._img0\.png, train\/dog\/\._img0\.png\)/);
  });
  test('a hidden folder beside the classes', async () => {
    expect((await loadFolder(join(found, 'hidden-class-folder'), 8)).classes).toEqual(['cat', 'dog', 'owl']);
  });
  test('a broken test picture', async () => {
    await expect(loadFolder(join(found, 'corrupt-test-image'), 8)).rejects.toThrow(/test\/owl\/img3\.png/);
    expect((await loadFolder(join(found, 'corrupt-test-image'), 8, { allowBroken: 0.05 })).test.count).toBe(23);
  });
});
