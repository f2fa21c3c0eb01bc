import { REGISTRY } from '../../lib/models/registry.ts';
import { median, ms, number, percent } from '../figures.ts';
import { allDifferent, PicturesRig } from '../pictures-rig.ts';
import { copies } from './pictures/copies.ts';
import type { Copies } from './pictures/copies.ts';
import { masks } from './pictures/masks.ts';
import type { Masks } from './pictures/masks.ts';
import { nearestAmong } from './pictures/nearest.ts';
import type { NearestFigures } from './pictures/nearest.ts';
import { finished, stage, stops } from './pictures/stages.ts';
import type { Measuring, StageFigures } from './pictures/stages.ts';
import { fetchIsnet } from './pictures/weights.ts';
import type { Section } from './section.ts';
import { inFolder } from './usage.ts';

/** Where no amount is given; all else is in proportion. */
const PICTURES = 200;
const STOPS = 20;
/** Of a picture of ISNet half a second, of the baseline a fortieth. */
const ISNET_SHARE = 0.2;
const LISTINGS = 1000;
const QUERIES = 200;
const VECTORS = [100_000, 1_000_000];
const MASKS = 102;

interface Found {
  readonly stages: readonly StageFigures[];
  readonly stops: readonly { readonly model: string; readonly tookMs: readonly number[] }[];
  readonly copies: Copies;
  readonly masks: readonly Masks[];
  readonly nearest: readonly NearestFigures[];
  /** Why ISNet was not measured. */
  readonly noIsnet: string | undefined;
}

/**
 * Cutouts and vectors: how fast the stages are beside a bare loop, how good the cutouts are, whether a copy is found, and
 * what a search among many vectors takes.
 *
 * @param amount pictures of the stages; all else is less or more in the same measure
 */
export function pictures(amount = PICTURES): Promise<Section> {
  const many = (of: number): number => Math.max(8, Math.round((of * amount) / PICTURES));
  return inFolder(async (folder) => {
    const isnet = await fetchIsnet(folder);
    await compile();
    const own: Measuring = { model: 'baseline', registry: REGISTRY, models: folder };
    const measured = await ofStages(many(PICTURES), own, 'background', 'embed');
    const others =
      'why' in isnet
        ? undefined
        : await ofStages(
            many(PICTURES * ISNET_SHARE),
            { ...own, model: 'isnet-512', registry: isnet },
            'background',
          );
    const cut = [await masks('baseline', many(MASKS), { folder })];
    if (!('why' in isnet)) cut.push(await masks('isnet-512', many(MASKS), { folder, registry: isnet }));
    const found = await copies(many(LISTINGS), many(QUERIES));
    const nearest: NearestFigures[] = [];
    for (const vectors of VECTORS) nearest.push(await nearestAmong(many(vectors)));
    const all: Found = {
      stages: [...measured.stages, ...(others?.stages ?? [])],
      stops: [measured.stops, ...(others ? [others.stops] : [])],
      copies: found,
      masks: cut,
      nearest,
      noIsnet: 'why' in isnet ? isnet.why : undefined,
    };
    return { title: 'Pictures', lines: linesOf(all), figures: { ...all } };
  });

  async function ofStages(count: number, measuring: Measuring, ...names: ('background' | 'embed')[]) {
    const rig = await PicturesRig.open(count, allDifferent);
    try {
      const stages: StageFigures[] = [];
      for (const name of names) stages.push(await stage(name, rig, measuring));
      return { stages, stops: await stops(rig, measuring, many(STOPS)) };
    } finally {
      await rig.close();
    }
  }
}

/** What was edited since is compiled by the first start: that takes memory and time of its own. */
async function compile(): Promise<void> {
  const rig = await PicturesRig.open(2);
  try {
    for (const name of ['background', 'embed'] as const) await finished(rig, name);
  } finally {
    await rig.close();
  }
}

function linesOf({ stages, stops: stopped, copies: found, masks: cut, nearest, noIsnet }: Found): string[][] {
  const lines = stages.flatMap((one) => {
    const what = `${one.stage}, ${one.model}`;
    return [
      [
        `${what}: pictures/s`,
        `${number(one.perSecond, 1)}, the bare loop ${number(one.bare, 1)}: ${percent(one.ratio)}`,
        '≥ 95 %',
      ],
      [`${what}: memory beside what the model takes`, `${number(one.besideMb)} MB`, '≤ 200 MB'],
      [`${what}: the main thread was blocked for`, ms(one.blockedMs), '≤ 50 ms'],
    ];
  });
  for (const { model, tookMs } of stopped) {
    const slowest = stages.find((one) => one.model === model)?.slowestMs ?? NaN;
    lines.push(
      [`KILL, KILL_BG to exit, ${model}: median, worst`, `${ms(median(tookMs))}, ${ms(Math.max(...tookMs))}`],
      ['  beyond the slowest picture: worst', ms(Math.max(...tookMs) - slowest), '≤ 500 ms'],
    );
  }
  for (const one of cut)
    lines.push([
      `${one.model} on ${one.pictures} drawings: mean IoU; ms a picture`,
      `${number(one.meanIou, 3)} (worst: ${one.worst.what}, ${number(one.worst.iou, 2)}); ${ms(one.msAnImage)}`,
      ...(one.model === 'baseline' ? [] : ['≥ 0.95']),
    ]);
  if (noIsnet !== undefined) lines.push(['isnet-512', `not measured: ${noIsnet}`]);
  lines.push([
    `baseline: a changed copy among ${number(found.listings)} listings, in the first ten; first`,
    `${percent(found.among)}; ${percent(found.first)}`,
    '≥ 95 %',
  ]);
  for (const one of nearest) {
    const what = `search among ${number(one.vectors)} vectors of ${one.dims}`;
    lines.push(
      [
        `${what}, asked again: median, worst`,
        `${ms(one.warmMs)}, ${ms(one.slowestMs)}; with a filter ${ms(one.filteredMs)}`,
        '≤ 200 ms',
      ],
      ['  in a process of its own', ms(one.freshMs), '≤ 2,000 ms'],
      [
        '  recall@10 of the exact order; of that by the vectors before they were stored as bytes',
        `${number(one.recall, 3)}; ${number(one.recallOfFloats, 3)}`,
        '≥ 0.99',
      ],
      ['  memory', `${number(one.mb)} MB`, '≤ 200 MB'],
      ['  bytes a vector, with its code and index', number(one.bytesAVector)],
    );
  }
  return lines;
}
