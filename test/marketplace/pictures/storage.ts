/** Plans of what things are kept in, hung on and hidden behind. */
import type { Face } from './space.ts';
import { bar, board, cushion, legs, placed } from './shapes.ts';
import { CLOTHS, type Stuff } from './stuff.ts';

export function drawers(
  { wood, dark, metal }: Stuff,
  width: number,
  height: number,
  rows: number,
  columns: number,
): Face[] {
  const [high, wide] = [height / rows, width / columns];
  const fronts = Array.from({ length: rows * columns }, (_, i) => {
    const x = ((i % columns) + 0.5) * wide - width / 2;
    const y = 0.14 + Math.floor(i / columns) * high;
    return [
      ...board([x, y + 0.012, 0.23], [wide - 0.025, high - 0.024, 0.02], wood),
      ...bar([x, y + high / 2, 0.24], [x, y + high / 2, 0.275], 0.014, 0.02, metal),
    ];
  });
  return [
    ...legs([width - 0.1, 0.34], 0.14, 0.06, dark, 0.02),
    ...board([0, 0.13, 0], [width + 0.02, height + 0.02, 0.45], dark),
    ...board([0, 0.15 + height, 0], [width + 0.07, 0.03, 0.5], wood),
    ...fronts.flat(),
  ];
}

export function shelf({ wood, dark, variant }: Stuff): Face[] {
  const [width, height, rows] = variant % 2 === 0 ? [0.8, 1.6, 5] : [1.1, 1.15, 3];
  const gap = (height - 0.06) / rows;
  const books = Array.from({ length: rows }, (_, row) =>
    Array.from({ length: 5 + ((row * 3 + variant) % 5) }, (_book, i) => {
      const tall = gap * (0.55 + 0.07 * ((i * 7 + row * 3) % 5));
      const rgb = CLOTHS[(i * 5 + row + variant) % CLOTHS.length] ?? CLOTHS[0];
      const x = (row % 2 === 0 ? -1 : 1) * (width / 2 - 0.07 - i * 0.05);
      return board([x, 0.06 + row * gap, 0.02], [0.043, tall, 0.18], { rgb });
    }).flat(),
  );
  return [
    ...[-1, 1].flatMap((side) => board([(side * width) / 2, 0, 0], [0.03, height, 0.3], wood)),
    ...Array.from({ length: rows + 1 }, (_, i) =>
      board([0, 0.03 + i * gap, 0], [width, 0.03, 0.3], wood),
    ).flat(),
    ...board([0, 0.03, -0.14], [width, height - 0.04, 0.015], dark),
    ...books.flat(),
  ];
}

export function trunk({ wood, dark, metal }: Stuff): Face[] {
  return [
    ...board([0, 0.05, 0], [1, 0.36, 0.5], wood),
    ...board([0, 0.42, 0], [1.04, 0.12, 0.54], dark),
    ...[-0.36, 0.36].flatMap((x) => [
      ...board([x, 0.04, 0], [0.06, 0.37, 0.52], metal),
      ...board([x, 0.42, 0], [0.06, 0.125, 0.55], metal),
    ]),
    ...board([0, 0.36, 0.26], [0.12, 0.13, 0.03], { rgb: [198, 164, 88] }),
    ...[-0.44, 0.44].flatMap((x) => board([x, 0, 0.18], [0.08, 0.05, 0.08], dark)),
  ];
}

export function rack({ wood, dark, cloth, metal, variant }: Stuff): Face[] {
  const pegs = [0, 1, 2, 3, 4, 5].flatMap((i) => {
    const angle = (i * Math.PI) / 3;
    const y = 1.5 + 0.1 * (i % 2);
    return bar([0, y, 0], [0.2 * Math.sin(angle), y + 0.12, 0.2 * Math.cos(angle)], 0.015, 0.02, metal);
  });
  const feet = [0, 1, 2, 3].flatMap((i) => {
    const angle = (i * Math.PI) / 2 + 0.6;
    return bar([0.28 * Math.sin(angle), 0, 0.28 * Math.cos(angle)], [0, 0.28, 0], 0.02, 0.025, dark);
  });
  const coat = [
    ...cushion([0.14, 0.72, 0.12], [0.34, 0.84, 0.12], cloth, 0.3),
    ...[-1, 1].flatMap((side) =>
      bar([0.14 + side * 0.2, 0.9, 0.14], [0.14 + side * 0.12, 1.5, 0.12], 0.055, 0.06, cloth),
    ),
    ...bar([0.14, 1.52, 0.12], [0.14, 1.6, 0.1], 0.09, 0.05, cloth),
  ];
  return [
    ...bar([0, 0.1, 0], [0, 1.72, 0], 0.03, 0.024, wood),
    ...pegs,
    ...feet,
    ...(variant % 2 === 0 ? coat : []),
  ];
}

export function divider({ wood, dark, second }: Stuff): Face[] {
  const panel = [
    ...[-0.22, 0.22].flatMap((x) => board([x, 0, 0], [0.04, 1.5, 0.03], dark)),
    ...[0.1, 0.76, 1.46].flatMap((y) => board([0, y, 0], [0.44, 0.04, 0.03], wood)),
    ...board([0, 0.12, 0], [0.42, 1.36, 0.008], second),
  ];
  return [
    ...placed(panel, [-0.42, 0.02], 0.42),
    ...placed(panel, [0, 0.02], -0.42),
    ...placed(panel, [0.42, 0.02], 0.42),
  ];
}
