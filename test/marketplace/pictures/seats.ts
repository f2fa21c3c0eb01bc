/** Plans of what people sit and lie on. */
import type { Face, Material } from './space.ts';
import { bar, board, cushion, legs } from './shapes.ts';
import type { Stuff } from './stuff.ts';

export function chair({ wood, dark, cloth, variant }: Stuff): Face[] {
  const slats = variant % 2 === 0 ? 3 : 5;
  const back =
    variant % 2 === 0
      ? [0.62, 0.75, 0.9].flatMap((y) => board([0, y, -0.2], [0.38, 0.07, 0.02], wood))
      : Array.from({ length: slats }, (_, i) =>
          board([-0.15 + i * 0.075, 0.46, -0.2], [0.03, 0.48, 0.02], wood),
        ).flat();
  return [
    ...[-1, 1].flatMap((side) => [
      ...board([side * 0.2, 0, 0.2], [0.04, 0.43, 0.04], dark),
      ...board([side * 0.2, 0, -0.2], [0.04, 1, 0.04], dark),
      ...board([side * 0.2, 0.16, 0], [0.025, 0.03, 0.38], dark),
    ]),
    ...board([0, 0.39, 0.2], [0.38, 0.05, 0.025], wood),
    ...board([0, 0.43, 0.01], [0.46, 0.03, 0.46], wood),
    ...board([0, 0.94, -0.2], [0.44, 0.07, 0.03], wood),
    ...back,
    ...(variant % 3 === 0 ? cushion([0, 0.46, 0.02], [0.42, 0.06, 0.42], cloth, 0.4) : []),
  ];
}

export function armchair({ dark, cloth, second, variant }: Stuff): Face[] {
  return [
    ...legs([0.58, 0.56], 0.2, 0.06, dark, 0.04),
    ...cushion([0, 0.16, 0], [0.72, 0.2, 0.7], cloth, 0.25),
    ...cushion([0, 0.3, 0.05], [0.54, 0.16, 0.6], cloth, 0.35),
    ...cushion([0, 0.3, -0.28], [0.66, 0.66, 0.2], cloth, 0.35),
    ...[-1, 1].flatMap((side) => cushion([side * 0.34, 0.2, 0.02], [0.15, 0.42, 0.68], cloth, 0.35)),
    ...(variant % 2 === 0 ? cushion([0.06, 0.44, -0.12], [0.36, 0.32, 0.14], second, 0.5) : []),
  ];
}

export function stool({ wood, dark, cloth, variant }: Stuff): Face[] {
  const seat =
    variant % 2 === 0
      ? bar([0, 0.62, 0], [0, 0.66, 0], 0.2, 0.2, wood)
      : [
          ...board([0, 0.62, 0], [0.36, 0.035, 0.36], wood),
          ...cushion([0, 0.645, 0], [0.36, 0.08, 0.36], cloth, 0.45),
        ];
  const ring = [0.2, 0.34].flatMap((y) => [
    ...board([0, y, 0.19], [0.36, 0.025, 0.02], dark),
    ...board([0, y, -0.19], [0.36, 0.025, 0.02], dark),
    ...board([0.19, y + 0.06, 0], [0.02, 0.025, 0.36], dark),
    ...board([-0.19, y + 0.06, 0], [0.02, 0.025, 0.36], dark),
  ]);
  return [...legs([0.26, 0.26], 0.63, 0.06, dark, 0.1), ...ring, ...seat];
}

export function sofa({ dark, cloth, second, variant }: Stuff): Face[] {
  const seats = variant % 2 === 0 ? [-0.5, 0, 0.5] : [-0.32, 0.32];
  const wide = variant % 2 === 0 ? 0.5 : 0.62;
  const width = wide * seats.length;
  return [
    ...legs([width, 0.62], 0.16, 0.06, dark, 0.03),
    ...cushion([0, 0.12, 0], [width + 0.3, 0.24, 0.82], cloth, 0.15),
    ...cushion([0, 0.14, -0.36], [width + 0.26, 0.68, 0.18], cloth, 0.22),
    ...seats.flatMap((x) => [
      ...cushion([x, 0.32, 0.06], [wide, 0.18, 0.68], cloth, 0.28),
      ...cushion([x, 0.44, -0.24], [wide, 0.44, 0.18], cloth, 0.4),
    ]),
    ...[-1, 1].flatMap((side) =>
      cushion([side * (width / 2 + 0.1), 0.14, 0.02], [0.2, 0.5, 0.84], cloth, 0.28),
    ),
    ...cushion([-width / 2 + 0.2, 0.48, -0.06], [0.36, 0.34, 0.14], second, 0.5),
  ];
}

export function bench({ wood, dark, cloth, variant }: Stuff): Face[] {
  return [
    ...legs([1.1, 0.28], 0.42, 0.06, dark, variant % 2 === 0 ? 0.05 : 0),
    ...board([0, 0.42, 0], [1.3, 0.045, 0.4], wood),
    ...(variant % 3 === 0 ? cushion([0, 0.46, 0], [1.26, 0.09, 0.38], cloth, 0.25) : []),
    ...(variant % 3 === 1
      ? [0.62, 0.78]
          .flatMap((y) => board([0, y, -0.19], [1.26, 0.09, 0.025], wood))
          .concat([-0.58, 0.58].flatMap((x) => board([x, 0.42, -0.19], [0.05, 0.45, 0.04], dark)))
      : board([0, 0.16, 0], [1.05, 0.03, 0.05], dark)),
  ];
}

export function pouf({ cloth, second, variant }: Stuff): Face[] {
  const tall = 0.26 + 0.07 * (variant % 3);
  return [
    ...cushion([0, 0, 0], [0.72, tall, 0.72], cloth, variant % 2 === 0 ? 0.75 : 0.35),
    ...cushion([0, tall * 0.96, 0], [0.08, 0.03, 0.08], second, 0.8),
  ];
}

export function bed({ wood, dark, cloth, variant }: Stuff): Face[] {
  const linen: Material = { rgb: [238, 234, 226] };
  const head =
    variant % 2 === 0
      ? board([0, 0.1, -0.86], [1.34, 0.86, 0.05], wood)
      : [
          ...[-0.64, -0.32, 0, 0.32, 0.64].flatMap((x) => board([x, 0, -0.86], [0.05, 0.94, 0.05], wood)),
          ...board([0, 0.92, -0.86], [1.36, 0.06, 0.06], wood),
          ...board([0, 0.5, -0.86], [1.32, 0.05, 0.03], wood),
        ];
  return [
    ...head,
    ...legs([1.22, 1.68], 0.2, 0.08, dark),
    ...board([0, 0.18, 0], [1.34, 0.14, 1.76], wood),
    ...cushion([0, 0.3, 0], [1.26, 0.2, 1.66], linen, 0.15),
    ...cushion([0, 0.31, 0.26], [1.34, 0.22, 1.18], cloth, 0.15),
    ...[-0.31, 0.31].flatMap((x) => cushion([x, 0.46, -0.6], [0.52, 0.17, 0.36], linen, 0.5)),
  ];
}
