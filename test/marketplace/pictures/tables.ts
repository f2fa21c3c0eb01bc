/** Plans of tables, and of what stands at them. */
import type { Face, Material } from './space.ts';
import { chair } from './seats.ts';
import { bar, board, cushion, legs, placed } from './shapes.ts';
import type { Stuff } from './stuff.ts';

export function table({ wood, dark, variant }: Stuff): Face[] {
  if (variant % 3 === 2) {
    return [
      ...bar([0, 0.7, 0], [0, 0.74, 0], 0.58, 0.58, wood),
      ...bar([0, 0.06, 0], [0, 0.7, 0], 0.07, 0.05, dark),
      ...bar([0, 0, 0], [0, 0.06, 0], 0.3, 0.22, dark),
    ];
  }
  const low = variant % 3 === 1;
  const height = low ? 0.4 : 0.72;
  return [
    ...legs([1.18, 0.62], height, 0.07, dark, low ? 0.05 : 0),
    ...board([0, height - 0.09, 0.31], [1.12, 0.08, 0.025], dark),
    ...board([0, height - 0.09, -0.31], [1.12, 0.08, 0.025], dark),
    ...board([0.59, height - 0.09, 0], [0.025, 0.08, 0.56], dark),
    ...board([-0.59, height - 0.09, 0], [0.025, 0.08, 0.56], dark),
    ...board([0, height, 0], [1.36, 0.04, 0.78], wood),
    ...(low ? board([0, 0.14, 0], [1.1, 0.02, 0.58], wood) : []),
    ...bar([0.25, height + 0.04, -0.1], [0.25, height + 0.2, -0.1], 0.07, 0.04, { rgb: [232, 226, 214] }),
  ];
}

export function dining(stuff: Stuff): Face[] {
  const seat = chair(stuff);
  return [
    ...table({ ...stuff, variant: stuff.variant % 2 === 0 ? 0 : 2 }),
    ...[-0.34, 0.34].flatMap((x) => [...placed(seat, [x, -0.62], 0), ...placed(seat, [x, 0.62], Math.PI)]),
  ];
}

export function desk({ wood, dark, metal, variant }: Stuff): Face[] {
  const drawers = [0.1, 0.3, 0.5].flatMap((y) => [
    ...board([0.4, y, 0.265], [0.32, 0.17, 0.02], wood),
    ...bar([0.36, y + 0.09, 0.285], [0.44, y + 0.09, 0.285], 0.01, 0.01, metal),
  ]);
  const lamp = [
    ...bar([-0.4, 0.76, -0.1], [-0.4, 0.78, -0.1], 0.08, 0.07, metal),
    ...bar([-0.4, 0.78, -0.1], [-0.46, 1.06, -0.1], 0.012, 0.012, metal),
    ...bar([-0.46, 1.06, -0.1], [-0.3, 1.16, -0.1], 0.012, 0.012, metal),
    ...bar([-0.3, 1.18, -0.1], [-0.24, 1.06, -0.06], 0.03, 0.09, { rgb: [214, 168, 60] }),
  ];
  return [
    ...board([0, 0.72, 0], [1.3, 0.04, 0.6], wood),
    ...board([0.4, 0.06, 0], [0.36, 0.66, 0.52], dark),
    ...drawers,
    ...legs([0.02, 0.5], 0.72, 0.05, dark, 0, [-0.58, 0]),
    ...board([-0.2, 0.6, -0.26], [0.86, 0.12, 0.02], dark),
    ...(variant % 2 === 0 ? lamp : []),
  ];
}

export function vanity({ wood, dark, cloth, metal, variant }: Stuff): Face[] {
  const glass: Material = { rgb: [206, 224, 232] };
  const mirror =
    variant % 2 === 0
      ? [
          ...bar([0, 1.1, -0.2], [0, 1.1, -0.16], 0.3, 0.3, dark),
          ...bar([0, 1.1, -0.16], [0, 1.1, -0.155], 0.27, 0.27, glass),
        ]
      : [
          ...board([0, 0.82, -0.2], [0.5, 0.62, 0.03], dark),
          ...board([0, 0.86, -0.18], [0.43, 0.54, 0.005], glass),
        ];
  return [
    ...legs([0.9, 0.36], 0.58, 0.05, dark, 0.03),
    ...board([0, 0.56, 0], [1, 0.17, 0.44], wood),
    ...board([0, 0.73, 0], [1.06, 0.03, 0.48], dark),
    ...[-0.32, 0, 0.32].flatMap((x) => [
      ...board([x, 0.585, 0.22], [0.29, 0.12, 0.012], dark),
      ...bar([x, 0.645, 0.226], [x, 0.645, 0.26], 0.016, 0.02, metal),
    ]),
    ...[-0.12, 0.12].flatMap((x) => board([x, 0.74, -0.2], [0.03, 0.1, 0.03], dark)),
    ...mirror,
    ...legs([0.24, 0.24], 0.38, 0.04, dark, 0.03, [0.05, 0.5]),
    ...cushion([0.05, 0.37, 0.5], [0.38, 0.1, 0.34], cloth, 0.4),
  ];
}
