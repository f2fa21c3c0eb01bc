/** What a piece is made of: each variant has its own wood and cloth. */
import type { Material, Rgb } from './space.ts';

export interface Stuff {
  wood: Material;
  dark: Material;
  cloth: Material;
  second: Material;
  metal: Material;
  /** Which of the drawings. */
  variant: number;
}

const WOODS: readonly [Rgb, ...Rgb[]] = [[176, 122, 72], [120, 76, 46], [205, 164, 112], [150, 84, 52], [92, 62, 44], [222, 190, 146]]; // prettier-ignore
export const CLOTHS: readonly [Rgb, ...Rgb[]] = [[74, 112, 104], [196, 92, 62], [206, 196, 178], [58, 82, 122], [150, 66, 78], [214, 168, 60]]; // prettier-ignore

const darker = ([r, g, b]: Rgb, by: number): Rgb => [r * by, g * by, b * by];

export function stuffOf(variant: number): Stuff {
  const look = Math.floor(variant / WOODS.length);
  const clothOf = (number: number): Rgb => CLOTHS[number % CLOTHS.length] ?? CLOTHS[0];
  const wood = WOODS[(variant + look) % WOODS.length] ?? WOODS[0];
  return {
    wood: { rgb: wood, grain: 0 },
    dark: { rgb: darker(wood, 0.72), grain: 0 },
    cloth: { rgb: clothOf(variant + 2 * look) },
    second: { rgb: clothOf(variant + 2 * look + 2) },
    metal: { rgb: [70, 70, 74] },
    variant,
  };
}
